"""The commonest slips, told by the words of the error that they end in."""

import re
from collections.abc import Mapping

from lessons.calling import Raised

#: a pattern in the message of an error, and the likely mistake behind it
SLIPS = {
    r"mean\(\): could not infer output dtype|mean.*floating point": "A mean needs floats: call "
    ".float() first.",
    r"only one element tensors can be converted|only integer tensors of a single element": "This "
    "place takes one number, not a whole tensor. (Functions of `math` take one number; torch.exp, "
    "torch.log and the like take tensors.)",
    r"Boolean value of Tensor[^`]*`.*\bnn\.\w+Loss\([^)]": "A loss is made first and called then: "
    "`loss_function = nn.BCEWithLogitsLoss()`, then `loss_function(logits, targets)`.",
    r"Boolean value of Tensor with more than one value": "Something here needs a single True or "
    "False, and a tensor with several elements has none. `if`, `and`, `not`, `in`, Python's max() "
    "and min() and chains like `p > 0.5 == labels` need one: is it meant element by element?",
    r"must be Tensor, not (ReLU|Sigmoid|Linear|Softmax|Flatten|Dropout)": "A layer is made first "
    "and called then: nn.ReLU()(x), or torch.relu(x).",
    r"before (Module\.)?__init__\(\) call": "`super().__init__()` must be the first line of "
    "__init__.",
    r"leaf Variable that requires grad.*in-place|in-place operation": "PyTorch records the change "
    "of a parameter, too: make it inside `with torch.no_grad():`.",
    r"Dimension out of range": "There is no such axis. Print the shape: has squeeze() or an index "
    "taken an axis away, or does this tensor have only one, [batch]?",
    r"cannot assign .* as parameter": "`=` would put a tensor in the parameter's place. Copy the "
    "numbers into it: `parameter.copy_(…)` inside `with torch.no_grad():`.",
    r"target size .* input size|Target size \(": "Logits and targets must have the same shape, "
    "[batch]: is an axis of length 1 left?",
    r"1D target must have size 1|class probabilities": "This loss takes several logits per sample; "
    "here there is one.",
    r"Float can't be cast|but expected Float|expected scalar type Float|dtype to be Float": "The "
    "loss takes float targets: call .float() on them.",
    r"expected scalar type Long|dtype to be Long": "Here the targets are class numbers, which "
    "must stay whole numbers (int64).",
    r"Double": "float64 meets float32: give both the same type.",
    r"backward through the graph a second time": "backward() uses up the graph: compute the loss "
    "again in every step.",
    r"does not require grad": "Nothing in it hangs on a parameter any more: was it computed under "
    "no_grad, detached, or made anew?",
    r"shapes cannot be multiplied|size mismatch": "In a matrix product (nn.Linear is one) the "
    "inner sizes must be equal. Print both shapes: is one to be transposed, or are the two numbers "
    "of an nn.Linear(inputs, outputs) others?",
    r"must match the size of tensor|not broadcastable": "These shapes do not broadcast. Print "
    "both: which axis is one too many, or missing?",
    r"cannot access local variable|referenced before assignment": "It gets its first value inside "
    "a loop or an `if` that did not run: give it one before.",
    r"takes \d+ positional arguments? but \d+|missing \d+ required positional|unexpected keyword": (
        "Compare the arguments with those in the task."
    ),
    r"'NoneType' object": "Something is None here: does a function return nothing, or is .grad "
    "still empty?",
    r"not enough values to unpack|too many values to unpack": "Left and right of the = there is "
    "not the same number of values.",
    r"'(Tensor|int|float)' object is not callable": "A value is called like a function: is a name "
    "used twice?",
    r"expected sequence of length": "The inner lists have different lengths, so they make no "
    "tensor: put them into one flat list.",
    r"index .* out of (bounds|range)|list index out of range": "An index points behind the last "
    "element. (A batch or a text may be empty, and the last batch smaller.)",
    r"name '\w+' is not defined": "Is it spelt as where it is made, and has that cell run? In a "
    "class, attributes and methods are reached through `self.`.",
    r"no attribute '\w+\.": "A name with a dot leads through several layers, and getattr takes one "
    "step. model.get_submodule(name) goes all the way.",
    r"'(?!Tensor)[A-Z]\w*' object has no attribute": "Is it spelt as where it is made? In your own "
    "class, __init__ makes it: `self.… = …`.",
    r"slice indices must be integers|'float' object cannot be interpreted": "`/` gives a float, "
    "even 4 / 2; `//` divides to a whole number.",
    r"maximum recursion depth": "It calls itself without end: is `super()` or another name meant?",
    r"(float )?division by zero": "The divisor is 0 here: which input has nothing to count?",
}


def explain(error: Raised, errors: Mapping[str, str]) -> str:
    """Return the likely mistake behind an error, or an empty text.

    Parameters
    ----------
    error : Raised
        What the student's code stopped with.
    errors : mapping of str to str
        Words of messages that mean something special in this exercise; they come first.
    """
    for words, sentence in errors.items():
        if words in error.message:
            return sentence
    for pattern, sentence in SLIPS.items():
        if re.search(pattern, f"{error.message} in {error.place}"):
            return sentence
    if error.kind == "SystemExit":
        return "Leave exit() and quit() out: they end the notebook."
    return ""


def stopped(error: Raised, errors: Mapping[str, str] | None = None, where: str = "") -> str:
    """Say where the student's code stopped, with what, for which input, and the likely mistake."""
    stop = f"your code stopped in {error.place}, with"
    if not error.place:  # no line of the student's: wrong arguments, or a result of no use
        stop = "calling your answer, or using what it gave, ended in"
    hint = explain(error, errors or {})
    return f"{stop} {error.kind}: {error.message}{where}. {hint}".rstrip()
