import copy
import math
import operator

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from helpers import datasets, lora, models
from helpers.corpus import Reviews
from helpers.text import Vocabulary
from helpers.training import classification_loss

VOCAB = 30
# token ids of each review; [] is a review without tokens, [0] one of unknown tokens alone
BATCHES = {
    "several": [[1, 4, 7], [0, 2, 4, 29], [7], [0, 1, 2, 3]],
    "batch of one": [[3, 5, 8]],
    "an empty bag": [[2, 9], [], [1]],
    "only an empty bag": [[]],
    "all unknown": [[0], [0], [0]],
}


def make_dataset(bags: list[list[int]]) -> datasets.BagOfWordsDataset:
    flat = [token for bag in bags for token in bag]
    offsets = torch.tensor([0, *(len(bag) for bag in bags)]).cumsum(0)
    return datasets.BagOfWordsDataset(
        torch.tensor(flat, dtype=torch.int32),
        offsets.int(),
        torch.arange(len(bags)) % 2,
        VOCAB,
    )


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def large_init(model: nn.Module) -> nn.Module:
    """Give parameters of the size that trained ones have, so that ReLU closes some units."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    return model


def close(a: torch.Tensor, b: torch.Tensor) -> None:
    torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-6)


def by_hand(model: models.OneHotMLP, bag: list[int]) -> list[float]:
    """The logits of one review in Python's own float64."""
    rows = zip(model.hidden.weight.tolist(), model.hidden.bias.tolist(), strict=True)
    hidden = [max(0.0, math.fsum([bias, *(row[token] for token in bag)])) for row, bias in rows]
    rows = zip(model.output.weight.tolist(), model.output.bias.tolist(), strict=True)
    return [sum(map(operator.mul, row, hidden)) + bias for row, bias in rows]


@pytest.mark.parametrize("num_outputs", [1, 2])
@pytest.mark.parametrize("hidden_size", [1, 6])
@pytest.mark.parametrize("bags", BATCHES.values(), ids=BATCHES.keys())
def test_the_logits_are_those_computed_by_hand(bags, hidden_size, num_outputs):
    model = large_init(models.OneHotMLP(VOCAB, hidden_size, num_outputs))
    expected = torch.tensor([by_hand(model, bag) for bag in bags])
    data = make_dataset(bags)
    if num_outputs == 1:
        expected = expected[:, 0]
    torch.testing.assert_close(model(data.multi_hot()), expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(models.to_sparse(model)(data.bags()), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("sparse_grad", [True, False])
@pytest.mark.parametrize("num_outputs", [1, 2])
@pytest.mark.parametrize("hidden_size", [1, 6])
@pytest.mark.parametrize("bags", BATCHES.values(), ids=BATCHES.keys())
def test_twins_agree_in_logits_gradients_and_one_step(bags, hidden_size, num_outputs, sparse_grad):
    data = make_dataset(bags)
    dense = models.OneHotMLP(VOCAB, hidden_size, num_outputs)
    sparse = models.to_sparse(dense, sparse_grad)
    logits = dense(data.multi_hot()), sparse(data.bags())
    assert logits[0].shape == ((len(bags),) if num_outputs == 1 else (len(bags), 2))
    close(*logits)
    before = dense.hidden.weight.detach().clone()
    for z in logits:
        classification_loss(z, data.labels).backward()
    grad = sparse.hidden.weight.grad
    assert grad.is_sparse == sparse_grad
    close(grad.to_dense().T, dense.hidden.weight.grad)
    close(sparse.hidden.bias.grad, dense.hidden.bias.grad)
    close(sparse.output.weight.grad, dense.output.weight.grad)
    close(sparse.output.bias.grad, dense.output.bias.grad)
    for model in (dense, sparse):
        torch.optim.SGD(model.parameters(), lr=0.5).step()
    stepped = models.to_dense(sparse)
    for name, parameter in dense.named_parameters():
        close(stepped.get_parameter(name), parameter)
    if any(bags) and hidden_size > 1:  # the step has done something
        assert not torch.equal(dense.hidden.weight, before)
    unseen = [token for token in range(VOCAB) if not any(token in bag for bag in bags)]
    assert torch.equal(stepped.hidden.weight[:, unseen], before[:, unseen])


def test_both_kinds_of_gradient_train_alike_over_several_steps():
    data = make_dataset(BATCHES["several"])
    first = models.SparseOneHotMLP(VOCAB, 6)
    second = copy.deepcopy(first)
    second.hidden.sparse_grad = False
    start = first.hidden.weight.detach().clone()
    for model in (first, second):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        for _ in range(5):
            optimizer.zero_grad()
            classification_loss(model(data.bags()), data.labels).backward()
            optimizer.step()
    close(first.hidden.weight, second.hidden.weight)
    assert (first.hidden.weight - start).abs().max() > 0.01


def test_the_sparse_gradient_has_each_token_once_and_in_order():
    data = make_dataset(BATCHES["several"])
    model = models.SparseOneHotMLP(VOCAB, 6)
    classification_loss(model(data.bags()), data.labels).backward()
    tokens = model.hidden.weight.grad._indices()[0]
    assert tokens.tolist() == sorted({t for bag in BATCHES["several"] for t in bag})


@pytest.mark.parametrize("num_outputs", [1, 3])
def test_twins_convert_both_ways_and_share_nothing(num_outputs):
    dense = models.OneHotMLP(VOCAB, 6, num_outputs)
    sparse = models.to_sparse(dense)
    again = models.to_dense(sparse)
    for (name, parameter), other in zip(dense.named_parameters(), again.parameters(), strict=True):
        assert torch.equal(parameter, other), name
        assert parameter.data_ptr() != other.data_ptr()
    assert torch.equal(sparse.hidden.weight, dense.hidden.weight.T)
    with torch.no_grad():
        for parameter in sparse.parameters():
            parameter.add_(1)
    for parameter, other in zip(dense.parameters(), again.parameters(), strict=True):
        assert torch.equal(parameter, other)


def test_parameter_count():
    for model in (models.OneHotMLP(20_001, 200, 1), models.SparseOneHotMLP(20_001, 200, 1)):
        assert sum(parameter.numel() for parameter in model.parameters()) == 4_000_601


def test_the_twin_starts_from_the_same_distribution():
    bound = 1 / math.sqrt(400)
    for layer in (nn.Linear(400, 50), models.BagLinear(400, 50)):
        assert layer.weight.abs().max() <= bound
        assert layer.weight.abs().max() > 0.99 * bound
        assert abs(layer.weight.std().item() * math.sqrt(3) - bound) < 0.02 * bound
        assert layer.bias.abs().max() <= bound


def test_without_gradients_and_frozen_the_plain_kernel_answers_alike():
    data = make_dataset(BATCHES["several"])
    model = models.SparseOneHotMLP(VOCAB, 6)
    logits = model(data.bags())
    with torch.no_grad():
        close(model(data.bags()), logits)
    model.hidden.weight.requires_grad_(False)
    frozen = model(data.bags())
    close(frozen, logits)
    frozen.sum().backward()
    assert model.hidden.weight.grad is None
    assert model.output.weight.grad is not None


def test_sum_of_rows_has_the_gradient_of_embedding_bag():
    bags = make_dataset(BATCHES["several"]).bags()
    weight = torch.randn(VOCAB, 3, dtype=torch.float64, requires_grad=True)
    rows = models.SumOfRows.apply(weight, *bags)
    direction = torch.randn_like(rows)
    (grad,) = torch.autograd.grad((rows * direction).sum(), weight)
    plain = F.embedding_bag(bags.ids, weight, bags.offsets, mode="sum", include_last_offset=True)
    (expected,) = torch.autograd.grad((plain * direction).sum(), weight)
    torch.testing.assert_close(grad.to_dense(), expected)


def test_sum_of_rows_counts_beyond_32_bits():
    vocab_size, batch_size = 40_000, 1 << 16  # vocabulary times batch is above 2**31
    offsets = torch.arange(batch_size + 1, dtype=torch.int32)
    ids = vocab_size - 1 - offsets[:-1] % 3
    weight = torch.zeros(vocab_size, 1, requires_grad=True)
    models.SumOfRows.apply(weight, ids, offsets).sum().backward()
    assert weight.grad.to_dense()[-4:, 0].tolist() == [0, 21_845, 21_845, 21_846]


def test_sum_of_rows_of_nothing_has_no_gradient():
    weight = torch.zeros(VOCAB, 3, requires_grad=True)
    nothing = torch.zeros(0, dtype=torch.int32), torch.zeros(3, dtype=torch.int32)
    models.SumOfRows.apply(weight, *nothing).sum().backward()
    assert weight.grad._nnz() == 0


# --- explaining a prediction --------------------------------------------------------------

VOCABULARY = Vocabulary(["good", "bad", "not", "film"])


@pytest.mark.parametrize("kind", [models.OneHotMLP, models.SparseOneHotMLP])
@pytest.mark.parametrize("review", ["Good film, good!", "not bad", "zzyzx qwerty", "", "film"])
def test_word_contributions_add_up_to_the_logit(kind, review):
    model = large_init(kind(len(VOCABULARY), 8))
    probability, contributions = models.word_contributions(model, VOCABULARY, review)
    data = datasets.encode(Reviews((review,), (0,)), VOCABULARY)
    inputs = data.multi_hot() if kind is models.OneHotMLP else data.bags()
    with torch.no_grad():
        assert probability == pytest.approx(torch.sigmoid(model(inputs)).item(), abs=1e-6)
    dense = model if kind is models.OneHotMLP else models.to_dense(model)
    gates = dense.hidden(data.multi_hot())[0] > 0
    constant = (dense.output.weight[0] * gates) @ dense.hidden.bias + dense.output.bias[0]
    logit = math.log(probability / (1 - probability))
    assert sum(contributions.values()) + constant.item() == pytest.approx(logit, abs=1e-4)


def test_word_contributions_names_each_token_once_in_order():
    model = models.OneHotMLP(len(VOCABULARY), 8)
    _, contributions = models.word_contributions(model, VOCABULARY, "Zzyzx film, good film qwerty")
    assert list(contributions) == ["<unk>", "film", "good"]
    _, contributions = models.word_contributions(model, VOCABULARY, "")
    assert contributions == {}
    _, contributions = models.word_contributions(model, VOCABULARY, "good, film", str.split)
    assert list(contributions) == ["<unk>", "film"]


def test_word_contributions_of_a_linear_network_are_what_leaving_a_word_out_takes():
    model = models.OneHotMLP(len(VOCABULARY), 8)
    with torch.no_grad():
        model.hidden.bias.fill_(10)  # every unit is always on
    _, contributions = models.word_contributions(model, VOCABULARY, "good film")
    with torch.no_grad():
        both = model(datasets.encode(Reviews(("good film",), (0,)), VOCABULARY).multi_hot())
        film = model(datasets.encode(Reviews(("film",), (0,)), VOCABULARY).multi_hot())
    assert contributions["good"] == pytest.approx((both - film).item(), abs=1e-5)


def test_word_contributions_refuses_several_outputs():
    with pytest.raises(ValueError, match="2 outputs"):
        models.word_contributions(models.OneHotMLP(5, 4, 2), VOCABULARY, "good")


@pytest.mark.parametrize("name", ["hidden", "output"])
def test_word_contributions_refuses_adapters(name):
    model = lora.add_adapters(models.OneHotMLP(len(VOCABULARY), 4), [name], r=1)
    with pytest.raises(TypeError, match="merge_adapters"):
        models.word_contributions(model, VOCABULARY, "good")
    plain = lora.merge_adapters(copy.deepcopy(model))
    assert set(models.word_contributions(plain, VOCABULARY, "good")[1]) == {"good"}


def test_twins_keep_the_type_of_their_numbers():
    model = models.OneHotMLP(VOCAB, 4).double()
    assert models.to_sparse(model).hidden.weight.dtype == torch.float64
    assert models.to_dense(models.to_sparse(model)).output.weight.dtype == torch.float64


def test_make_mlp() -> None:
    model = models.make_mlp(10, (16, 8), 2, dropout=0.3)
    names = [type(layer).__name__ for layer in model]
    assert names == ["Linear", "ReLU", "Dropout", "Linear", "ReLU", "Dropout", "Linear"]
    assert {layer.p for layer in model if isinstance(layer, nn.Dropout)} == {0.3}
    assert model(torch.zeros(5, 10)).shape == (5, 2)
    assert [type(layer).__name__ for layer in models.make_mlp(3, (), 1)] == ["Linear"]
