"""What can be measured of a page: contrast of text, opacity of pictures, lines of a table."""

from typing import Any, NamedTuple

from playwright.sync_api import Locator

#: WCAG 2.2, success criterion 1.4.3, level AA, for text of normal size
READABLE = 4.5

#: the contrast of every piece of text below an element, after WCAG 2.2 ("contrast ratio")
CONTRASTS = """root => {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 1;
    const pen = canvas.getContext('2d', {willReadFrequently: true});
    // any notation of a colour, as red, green, blue (0 to 255) and opacity (0 to 1)
    const parse = colour => {
        pen.clearRect(0, 0, 1, 1);
        pen.fillStyle = colour;
        pen.fillRect(0, 0, 1, 1);
        const [red, green, blue, opacity] = pen.getImageData(0, 0, 1, 1).data;
        return [red, green, blue, opacity / 255];
    };
    const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3]));
    const background = element => {
        const layers = [];
        for (let at = element; at; at = at.parentElement) {
            const layer = parse(getComputedStyle(at).backgroundColor);
            layers.push(layer);
            if (layer[3] === 1) break;
        }
        return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
    };
    const luminance = colour => {
        const [red, green, blue] = colour.map(value => {
            const share = value / 255;
            return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const found = [];
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        const text = walker.currentNode.textContent.trim();
        if (!text || !element.checkVisibility({opacityProperty: true})) continue;
        const box = element.getBoundingClientRect();
        if (element.closest('script, style, title, .jp-InternalAnchorLink') || !box.width) continue;
        const below = background(element);
        const ink = parse(getComputedStyle(element).color);
        for (let at = element; at; at = at.parentElement) {
            ink[3] *= Number(getComputedStyle(at).opacity);
        }
        const [dark, light] = [luminance(over(ink, below)), luminance(below)].sort((a, b) => a - b);
        found.push({
            text: text.slice(0, 60),
            ratio: (light + 0.05) / (dark + 0.05),
            colours: `${getComputedStyle(element).color} on rgb(${below.map(Math.round)})`,
        });
    }
    return found;
}"""

PICTURES = """root => [...root.querySelectorAll('img')].map(picture => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
    let opacity = 0;
    if (picture.naturalWidth) {
        const pen = canvas.getContext('2d', {willReadFrequently: true});
        pen.drawImage(picture, 0, 0);
        opacity = 255;
        const {data} = pen.getImageData(0, 0, canvas.width, canvas.height);
        for (let i = 3; i < data.length; i += 4) opacity = Math.min(opacity, data[i]);
    }
    const box = picture.getBoundingClientRect();
    return {
        natural_width: picture.naturalWidth,
        shown_width: box.width,
        shown_height: box.height,
        opacity: opacity / 255,
        alt: picture.alt,
    };
})"""

LINES = """area => {
    const drawn = [];
    for (const block of area.querySelectorAll('pre')) {
        const height = parseFloat(getComputedStyle(block).lineHeight);
        const range = document.createRange();
        range.selectNodeContents(block);
        drawn.push({
            text: block.textContent,
            lines: Math.round(range.getBoundingClientRect().height / height),
            overflow: block.scrollWidth - block.clientWidth,
        });
    }
    return drawn;
}"""


class Text(NamedTuple):
    """A piece of text and how well it stands out (1: not at all, 21: black on white)."""

    text: str
    ratio: float
    colours: str


class Picture(NamedTuple):
    """A picture as the page shows it, sizes in CSS pixels; opacity of its clearest pixel."""

    natural_width: int
    shown_width: float
    shown_height: float
    opacity: float
    alt: str


class Block(NamedTuple):
    """Preformatted text: how many lines it is drawn on, how many pixels stick out."""

    text: str
    lines: int
    overflow: int


def contrasts(element: Locator) -> list[Text]:
    """Return every visible piece of text below an element with its contrast."""
    return [Text(**found) for found in _evaluate(element, CONTRASTS)]


def pictures(element: Locator) -> list[Picture]:
    """Return every picture below an element."""
    return [Picture(**found) for found in _evaluate(element, PICTURES)]


def blocks(element: Locator) -> list[Block]:
    """Return every block of preformatted text below an element."""
    return [Block(**found) for found in _evaluate(element, LINES)]


def _evaluate(element: Locator, script: str) -> list[dict[str, Any]]:
    """Run the script on the one element that is meant."""
    return element.evaluate(script)
