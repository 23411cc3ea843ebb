"""The examples that learn show what they are there to show; with fewer epochs than by default."""

import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

import torchlite as nn

EXAMPLES = Path(__file__).parents[1] / "examples"
PNG = b"\x89PNG\r\n"


@pytest.fixture
def printed(capsys, monkeypatch):
    """Run an example as a program of its own and return what it prints."""

    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *map(str, arguments)])
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
        return capsys.readouterr().out

    return run


def numbers(pattern, text):
    """The groups of every match, as numbers: [(first, second, ...), ...]."""
    return [tuple(map(float, match.groups())) for match in re.finditer(pattern, text, re.MULTILINE)]


def test_digits_classifier(printed):
    text = printed("digits_classifier", "--epochs", 5)
    ((accuracy,),) = numbers(r"^test accuracy +(\S+)", text)
    assert accuracy > 95
    ((right,),) = numbers(r"global correct: (\S+)%", text)
    assert right == pytest.approx(accuracy, abs=1e-4)
    counts = [list(map(int, row.split())) for row in re.findall(r"\[([\d ]+)\]", text)]
    assert sum(map(sum, counts)) == 360
    assert 100 * sum(counts[i][i] for i in range(10)) / 360 == pytest.approx(right)


def test_digits_classifier_writes_a_log_and_two_pictures(printed, tmp_path):
    pytest.importorskip("matplotlib")
    text = printed("digits_classifier", tmp_path / "new", "--epochs", 2)
    names, *rows = (tmp_path / "new" / "training.log").read_text().splitlines()
    assert names.split("\t")[:4] == [
        "training loss",
        "training accuracy",
        "test loss",
        "test accuracy",
    ]
    (first_loss, *_), (loss, *_, accuracy) = (map(float, row.split()) for row in rows)
    assert loss < first_loss
    assert [(pytest.approx(accuracy, rel=1e-4),)] == numbers(r"^test accuracy +(\S+)", text)
    for picture in ("learning_curve.png", "worst_errors.png"):
        assert (tmp_path / "new" / picture).read_bytes().startswith(PNG)


def test_the_same_seed_gives_the_same_digits(printed):
    first, again, other = (
        printed("digits_classifier", "--epochs", 1, "--seed", seed) for seed in (3, 3, 4)
    )
    assert first == again != other


def test_xor_lbfgs(printed):
    text = printed("xor_lbfgs")
    losses = [loss for (loss,) in numbers(r"^ +\d+  (\S+)$", text)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 1e-8
    for wanted, found in numbers(r"^[01]  [01] +([01]) +(\S+)$", text):
        assert found == pytest.approx(wanted, abs=1e-3)
    ((_, evaluations),) = numbers(r"L-BFGS came to a loss of (\S+) with (\d+)", text)
    ((loss, steps),) = numbers(r"to one of (\S+) with (\d+)", text)
    assert loss <= 1e-4
    assert 4 * evaluations < steps


def test_autoencoder_loses_less_than_the_principal_components(printed):
    text = printed("autoencoder", "--epochs", 10)
    (before,), (after,), (linear,) = numbers(
        r"^(?:loss before|loss after|of the)[a-z ]+(\S+)$", text
    )
    assert before > 0.1
    assert after < 0.022 < linear


def test_autoencoder_draws(printed, tmp_path):
    pytest.importorskip("matplotlib")
    printed("autoencoder", tmp_path / "new", "--epochs", 1)
    assert (tmp_path / "new" / "autoencoder.png").read_bytes().startswith(PNG)


def test_feedback_alignment_learns_below_the_last_layer(printed):
    rows = numbers(
        r"^ +(\d+) +(\S+) +(\S+) +(\S+) +(\d+)$", printed("feedback_alignment", "--epochs", 6)
    )
    assert [epoch for epoch, *_ in rows] == [1, 2, 3, 4, 5, 6]
    _, backprop, feedback, last_layer, angle = rows[-1]
    assert backprop > 93
    assert feedback > 85
    assert last_layer < 75
    # The weights come to fit the random matrices, to which they stood at a right angle.
    assert angle < 60 < rows[0][-1] < 90


def test_residual_learns_where_as_many_layers_without_sums_do_not(printed):
    with_sums, without = printed("residual", "--epochs", 2).split("without the sum")
    ((growth,),) = numbers(r"grows (\d+) times", with_sums)
    ((growth_without,),) = numbers(r"grows (\d+) times", without)
    assert 5 * growth < growth_without
    assert numbers(r"accuracy (\S+)", with_sums)[-1] > (80,)
    assert numbers(r"accuracy (\S+)", without)[-1] < (60,)


def test_siamese_tells_same_from_different(printed):
    text = printed("siamese", "--epochs", 5)
    # 64 * 100 + 100 and 100 * 8 + 8, once.
    assert "7308 parameters" in text
    before, after = text.split("before training")[1].split("after training")
    values = [[value for (value,) in numbers(r"(\d+\.\d+)", part)] for part in (before, after)]
    (_, _, told_before, nearest_before), (same, different, told, nearest) = values
    assert different > 3 * same
    assert told > 88 > told_before
    assert nearest > 90 > nearest_before


def test_lenet_digits_reads_99_of_100(printed):
    text = printed("lenet_digits")
    ((accuracy,),) = numbers(r"^test accuracy (\S+) %$", text)
    assert accuracy >= 99
    ((right,),) = numbers(r"global correct: (\S+)%", text)
    assert right == pytest.approx(accuracy, abs=0.01)


def test_lenet_digits_draws(printed, tmp_path):
    pytest.importorskip("matplotlib")
    printed("lenet_digits", tmp_path / "new", "--epochs", 1)
    for picture in ("filters.png", "activations.png", "confusion.png"):
        assert (tmp_path / "new" / picture).read_bytes().startswith(PNG)


def test_resnet_digits_learns_where_plain_layers_do_not(printed):
    text = printed("resnet_digits", "--epochs", 3, "--depth", 5)
    assert text.count(": 22 layers, ") == 2
    residual, plain = text.split("plain:")
    losses = [numbers(r"loss (\S+) ", part) for part in (residual, plain)]
    assert [len(part) for part in losses] == [3, 3]
    assert losses[0][-1] < (0.6,)
    assert losses[1][-1] > (1.2,)


def test_char_lstm_writes_what_it_has_read(printed, tmp_path):
    path = tmp_path / "model.npz"
    whole = printed("char_lstm", "--size", 48, "--epochs", 6)
    printed("char_lstm", "--size", 48, "--epochs", 5, "--checkpoint", path)
    resumed = printed("char_lstm", "--epochs", 6, "--resume", path)
    # What goes on from the checkpoint is the same, to the last character.
    assert resumed.splitlines()[1:] == whole.splitlines()[2:]
    (_, before), (_, last) = numbers(r"^epoch +(\d+)  loss a character (\S+)$", whole)
    assert last < before < 3.3
    assert len(whole.partition("\ntorchlite ")[2]) == 301


def test_char_lstm_writes_the_likeliest_at_a_temperature_of_0(printed, tmp_path):
    path = tmp_path / "model.npz"
    printed("char_lstm", "--size", 4, "--epochs", 1, "--checkpoint", path)
    go_on = ("char_lstm", "--epochs", 1, "--resume", path, "--temperature")
    texts = [printed(*go_on, t).partition("\ntorchlite ")[2] for t in (0, 1e-9)]
    assert texts[0] == texts[1]
    assert len(texts[0]) == 301


@pytest.mark.parametrize(
    ("program", "arguments", "said"),
    [
        ("char_lstm", ("--resume", "x", "--size", 8), "--size: the checkpoint to --resume has"),
        ("char_lstm", ("--temperature", -1), "--temperature: at least 0"),
        ("char_lstm", ("--temperature", "nan"), "--temperature: at least 0"),
        ("adding_problem", ("--length", 1), "--length: at least 2"),
        ("adding_problem", ("--updates", 0), "--updates: at least 1"),
    ],
)
def test_settings_that_examples_refuse(printed, capsys, program, arguments, said):
    with pytest.raises(SystemExit):
        printed(program, *arguments)
    assert said in capsys.readouterr().err


def test_char_lstm_is_trained_as_by_pytorch():
    """Twenty losses from the same weights; the script that made them is beside them."""
    data = Path(__file__).parent / "data"
    space = runpy.run_path(str(data / "make_char_lstm.py"))
    made, net, windows = space["begun"]()
    config, state = {"learningRate": 0.003, "alpha": 0.95}, {}
    losses = [made["update"](net, window, config, state) for window in windows]
    with np.load(space["FILE"]) as archive:
        expected = archive["losses"]
    assert expected.shape == (20,)
    assert np.abs(losses - expected).max() <= 1e-12


def test_lstm_of_nodes_learns_verses_by_heart(printed):
    text = printed("lstm_of_nodes", "--updates", 60, "--size", 48, "--unroll", 20)
    assert "input -[2]-> (2) h: Identity -> (3) Linear(48 -> 192) -> (4)\n" in text
    losses = [loss for (loss,) in numbers(r"loss a character (\S+)$", text)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.6
    assert re.search(r"^This is the cow .*that Jack built\.$", text, re.MULTILINE)


def test_adding_problem_shows_why_gates_exist(printed):
    text = printed("adding_problem", "--length", 16, "--updates", 250, "--size", 16)
    wrong = dict(
        re.findall(r"^(.+) is wrong by (\S+), in the mean square; who", text, re.MULTILINE)
    )
    assert float(wrong["plain recurrence"]) > 0.12
    assert float(wrong["LSTM"]) < 0.03
    drawings = re.split(r"the gradient by step, in the \w+ update:", text)[1:]
    plain, _, _, gated = (numbers(r"^  step +(\d+) +(\S+) #", part) for part in drawings)
    assert [t for t, _ in plain] == [t for t, _ in gated] == list(range(16))
    # Each step back, the gradient of the one is lost, and that of the other stays.
    assert plain[0][1] < 1e-4 * plain[-1][1]
    assert gated[0][1] > 0.1 * gated[-1][1]
    # A factor of ten is five signs.
    for line in re.findall(r"^  step +\d+ +(\S+) (#+)$", text, re.MULTILINE):
        assert len(line[1]) == pytest.approx(5 * (np.log10(float(line[0])) + 10), abs=0.8)


def test_seq2seq_reverse_finds_where_to_look(printed):
    text = printed("seq2seq_reverse", "--updates", 300, "--size", 48)
    right = dict(numbers(r"^of (\d+) letters +(\S+)% right", text))
    assert right[3] > 95
    assert right[5] > 90
    assert right[10] < right[8]
    assert "backward -> drawkcab.\n" in text
    # The darkest sign of each line stands below the letter that is written.
    drawn = re.findall(r"^ (\w) ([ .:+#](?: [ .:+#]){7})$", text, re.MULTILINE)
    assert "".join(letter for letter, _ in drawn) == "drawkcab"
    shares = [[" .:+#".index(sign) for sign in line[::2]] for _, line in drawn]
    assert [row.index(max(row)) for row in shares] == [7, 6, 5, 4, 3, 2, 1, 0]


def test_seq2seq_reverse_goes_back_through_both():
    space = runpy.run_path(str(EXAMPLES / "seq2seq_reverse.py"))
    nn.manualSeed(1)
    translator, criterion = space["Translator"](2), nn.CrossEntropyCriterion()
    parameters, gradParameters = translator.all.getParameters()
    words = space["draw"](2, 3)
    given, wanted = space["lesson"](words)
    assert given.tolist()[0] == [26, *words[0, ::-1]]
    assert wanted.tolist()[0] == [*words[0, ::-1], 26]

    def loss():
        scores = translator.forward(words, given)
        return criterion.forward(scores.reshape(-1, 27), wanted.reshape(-1))

    loss()
    gradScores = criterion.backward(translator.attention.output.reshape(-1, 27), wanted.reshape(-1))
    translator.backward(gradScores.reshape(2, 4, 27))
    slopes = np.empty_like(parameters)
    for i, value in enumerate(parameters.tolist()):
        sides = []
        for parameters[i] in (value + 1e-5, value - 1e-5):
            sides.append(loss())
        parameters[i] = value
        slopes[i] = (sides[0] - sides[1]) / 2e-5
    np.testing.assert_allclose(gradParameters, slopes, atol=1e-9)


def test_two_branches(printed, tmp_path):
    text = printed("two_branches", "--epochs", 3, "--dot", tmp_path / "block.dot")
    assert "x is used by [1, 5, 9]\n" in text
    assert "which is the sum: True\n" in text
    assert numbers(r"accuracy (\S+)", text)[-1] > (90,)
    drawn = (tmp_path / "block.dot").read_text("utf-8")
    assert 'label="narrow (' in drawn
    assert 'color="red"' in drawn


def test_text_cnn_reads_what_a_bag_of_words_cannot(printed):
    text = printed("text_cnn")
    (bag,), (convolution,) = numbers(r"(\S+) % of new sentences right", text)
    assert 25 < bag < 75
    assert convolution > 98


def test_segment_finds_the_shapes(printed):
    text = printed("segment", "--epochs", 6, "--pictures", 400)
    losses = [loss for (loss,) in numbers(r"loss (\S+)", text)]
    assert losses[-1] < losses[0] / 4
    overlaps = dict(re.findall(r"^(background|square|disc) +(\S+)$", text, re.MULTILINE))
    assert float(overlaps["background"]) > 0.97
    assert min(float(overlaps["square"]), float(overlaps["disc"])) > 0.5


def test_segment_draws(printed, tmp_path):
    pytest.importorskip("matplotlib")
    printed("segment", tmp_path / "new", "--epochs", 1, "--pictures", 20)
    assert (tmp_path / "new" / "segment.png").read_bytes().startswith(PNG)
