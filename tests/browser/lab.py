"""JupyterLab as a server of its own, and one notebook in it as a page object."""

import os
import re
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import BrowserContext, Locator, Page, expect

#: the ruler under the head of a table that was printed as text
RULER = re.compile(r"^\s*-{2,}( +-{2,})+\s*$", re.MULTILINE)

#: no pop-up of the news feed or of an update hides a notebook
SETTINGS = {
    "@jupyterlab/apputils-extension/notification": (
        '{"fetchNews": "false", "checkForUpdates": false, "doNotDisturbMode": true}'
    )
}

#: the notebook's model as plain values; the page's own objects do not travel
READ_CELLS = """() => {
    const panel = window.jupyterapp.shell.currentWidget;
    return [...panel.content.model.cells].map(cell => {
        const outputs = cell.type === 'code' ? cell.outputs.toJSON() : [];
        return {
            id: cell.id,
            kind: cell.type,
            source: cell.sharedModel.getSource(),
            tags: cell.getMetadata('tags') || [],
            count: cell.type === 'code' ? cell.executionCount : null,
            kinds: outputs.map(output => output.output_type),
            pictures: outputs.filter(output => (output.data || {})['image/png']).length,
            text: outputs.map(output => [
                output.text || (output.data || {})['text/plain'] || output.traceback || []
            ].flat().join('')).join('\\n'),
        };
    });
}"""
READ_STATUS = """() => {
    const {sessionContext} = window.jupyterapp.shell.currentWidget;
    return sessionContext.session?.kernel?.status ?? 'no kernel';
}"""
SCROLL = """async (id) => {
    const {content} = window.jupyterapp.shell.currentWidget;
    const index = content.widgets.findIndex(widget => widget.model.id === id);
    content.activeCellIndex = index;
    await content.scrollToItem(index, 'start');
}"""


class Server(NamedTuple):
    """A running JupyterLab."""

    address: str
    token: str
    folder: Path


class Cell(NamedTuple):
    """One cell of a notebook, as JupyterLab has it in memory."""

    id: str
    kind: str
    source: str
    tags: list[str]
    count: int | None
    kinds: list[str]
    pictures: int
    text: str

    @property
    def failed(self) -> bool:
        """Whether it raised an error that it was not meant to raise."""
        return "error" in self.kinds and "raises-exception" not in self.tags


class NotebookFailed(AssertionError):  # noqa: N818 - it names what happened
    """A notebook did not run to its end; the message names the cell and shows its output."""


@contextmanager
def served(folder: Path, private: Path, log: Path) -> Iterator[Server]:
    """Serve JupyterLab for the notebooks in `folder`.

    Parameters
    ----------
    folder : Path
        The notebooks; they may be changed.
    private : Path
        An empty folder for settings, history and run files, in place of the user's own.
    log : Path
        Where to keep what the server says.

    Raises
    ------
    RuntimeError
        If it does not answer within two minutes.
    """
    token, port = secrets.token_hex(16), _free_port()
    for plugin, text in SETTINGS.items():
        path = private / "settings" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += ["--expose-app-in-browser", f"--ServerApp.root_dir={folder}"]
    command += [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=_environment(private, token), stdout=output, stderr=output
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(f"{address}/api/status?token={token}", process, log)
        yield Server(address, token, folder)
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment(private: Path, token: str) -> dict[str, str]:
    folders = {
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "IPYTHONDIR": "ipython",
    }
    own = {name: str(private / folder) for name, folder in folders.items()}
    # two notebooks run side by side: one thread each
    threads = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
    return {**os.environ, **own, **threads, "JUPYTER_TOKEN": token, "COURSE_OFFLINE": "1"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(address: str, process: subprocess.Popen, log: Path, seconds: float = 120) -> None:
    """Wait until the address answers."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(
        f"JupyterLab did not start within {seconds:.0f} s; it said:\n"
        + log.read_text(encoding="utf-8", errors="replace")[-3_000:]
    )


class Notebook:
    """A notebook, open in a tab of its own of the browser."""

    def __init__(self, browser: BrowserContext, server: Server, name: str) -> None:
        self.page: Page = browser.new_page()
        self.name = name
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        # a workspace of its own, so that no other tab's layout is restored here
        self.page.goto(
            f"{server.address}/lab/workspaces/{name}/tree/{name}.ipynb?token={server.token}"
        )
        self.wait_until_open()

    def wait_until_open(self) -> None:
        """Wait until the notebook is there and has a kernel that waits for work."""
        self.page.wait_for_function(
            "() => window.jupyterapp?.shell.currentWidget?.content?.model?.cells?.length > 0",
            timeout=120_000,
        )
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.ready")
        self.page.wait_for_function(f"() => ({READ_STATUS})() === 'idle'", timeout=120_000)
        self.expect_no_question()

    def menu(self, *labels: str) -> None:
        """Click through the menu bar, as a reader would."""
        self.page.locator(".lm-MenuBar-item", has_text=re.compile(f"^{labels[0]}$")).click()
        for label in labels[1:]:
            item = self.page.locator(".lm-Menu-item", has=self.page.get_by_text(label, exact=True))
            item.first.click()

    def run_all_cells(self) -> None:
        """Choose Run > Run All Cells."""
        self.menu("Run", "Run All Cells")

    def wait_until_finished(self, seconds: float) -> list[Cell]:
        """Wait until every code cell has run, and return the cells.

        Raises
        ------
        NotebookFailed
            If a cell raises an error, JupyterLab asks something, or time is up.
        """
        deadline = time.monotonic() + seconds
        while True:
            cells = self.cells()
            failed = [cell for cell in cells if cell.failed]
            if failed:
                raise NotebookFailed(f"{self.name}, cell {failed[0].id!r}:\n{failed[0].text}")
            waiting = [cell for cell in cells if cell.kind == "code" and cell.count is None]
            status = self.page.evaluate(READ_STATUS)
            if not waiting and status == "idle":
                return cells
            self.expect_no_question()
            if time.monotonic() > deadline:
                raise NotebookFailed(
                    f"{self.name}: {len(waiting)} cells still wait after {seconds:.0f} s, the "
                    f"first is {waiting[0].id if waiting else 'none'!r}; the kernel is {status}"
                )
            self.page.wait_for_timeout(500)

    def expect_no_question(self) -> None:
        """Fail if a dialog hides the notebook, and say what it asks."""
        dialog = self.page.locator(".jp-Dialog")
        if dialog.count():
            raise NotebookFailed(f"{self.name}: JupyterLab asks: {dialog.first.inner_text()}")

    def cells(self) -> list[Cell]:
        """Return all cells, shown or not."""
        return [Cell(**cell) for cell in self.page.evaluate(READ_CELLS)]

    def show(self, cell: Cell) -> Locator:
        """Scroll to a cell, select it, and return its element.

        JupyterLab draws only the cells near the screen, so nothing can be measured before.
        """
        self.page.evaluate(SCROLL, cell.id)
        element = self.page.locator(".jp-Notebook .jp-Cell.jp-mod-active")
        expect(element).to_be_in_viewport()
        return element

    def output(self, cell: Cell) -> Locator:
        """Scroll to a cell's output and return its area."""
        area = self.show(cell).locator(".jp-Cell-outputArea")
        area.evaluate("element => element.scrollIntoView({block: 'start'})")
        return area

    def use_theme(self, name: str) -> None:
        """Choose Settings > Theme > `name`."""
        self.menu("Settings", "Theme", name)
        expect(self.page.locator("body")).to_have_attribute("data-jp-theme-name", name)

    def save(self) -> None:
        """Choose File > Save Notebook, and wait until nothing is left to save."""
        self.menu("File", "Save Notebook")
        self.page.wait_for_function(
            "() => !window.jupyterapp.shell.currentWidget.context.model.dirty"
        )
