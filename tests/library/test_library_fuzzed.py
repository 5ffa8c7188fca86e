"""Whatever the library is called with: a sound result, or a message for people."""

import os
import re

import hypothesis
from hypothesis import strategies as st

import keras_m2m
from helpers.fuzz_calls import CALLS
from helpers.fuzz_values import NONSENSE
from keras_m2m import decisions
from keras_m2m import heads
from keras_m2m import plots

# How many calls are tried: a few, always the same, or as many others as asked for.
FEW = "FUZZ_EXAMPLES" not in os.environ
TRAIN = {
    "M2mModel.fit",
    "choose_step_size",
    "heads.retrained_head",
    "heads.scaled_head",
}
SLOW = TRAIN | {"cifar_resnet", "resnet1d", "heads.features"} if FEW else set()
EXAMPLES = 100 if FEW else int(os.environ["FUZZ_EXAMPLES"])
# Of Python's own errors, which say what went wrong inside and not what to do.
UNREADABLE = re.compile(
    r"NoneType' object|has no attribute|not subscriptable|unsupported operand|not "
    r"supported between|object is not|has no len|truth value|unhashable|cannot unpack|"
    r"could not be broadcast|zero-size|index .* out of|must be real number|ufunc"
)


def is_for_people(message):
    return len(message) > 20 and not UNREADABLE.search(message)


def test_every_public_function_and_class_is_called():
    # What the library makes or raises, networks of the checks of the smaller ones, and
    # what reads a released file.
    left_out = {"Seeds", "StepChoice", "Trained", "Diverged", "load_example"}
    left_out |= {"preact_resnet18", "resnet32", "resnet50"}
    assert set(keras_m2m.__all__) - left_out <= CALLS.keys()
    assert {f"plots.{name}" for name in plots.__all__} <= CALLS.keys()
    made = {"Features", "TauChoice"}  # Tuples too.
    assert {f"heads.{name}" for name in {*heads.__all__} - made} <= CALLS.keys()
    made = {"Calibration", "OffsetChoice", "Reliability"}
    own = {*decisions.__all__} - made
    assert {f"decisions.{name}" for name in own} <= CALLS.keys()


@hypothesis.given(data=st.data())
@hypothesis.settings(
    max_examples=EXAMPLES,
    derandomize=FEW,
    suppress_health_check=list(hypothesis.HealthCheck),
)
def test_a_call_ends_in_a_sound_result_or_a_message_for_people(data):
    name = data.draw(st.sampled_from(sorted(CALLS.keys() - SLOW)))
    call = CALLS[name]
    arguments = {key: data.draw(right) for key, right in call.arguments.items()}
    wrong = st.lists(st.sampled_from(sorted(arguments)), max_size=2, unique=True)
    for key in data.draw(wrong):
        arguments[key] = data.draw(NONSENSE)
    hypothesis.note(f"{name}(**{arguments})")
    try:
        result = call.function(**arguments)
    except (TypeError, ValueError) as error:
        if not is_for_people(str(error)):
            raise
    else:
        call.check(result, **arguments)
