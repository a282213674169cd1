"""A saga's row: its state as JSON text and back; steps still to come are left out.

Most of a saga stays as it is from one input to the next. So a text keeps its parts, and the next
one is made of them and of what has changed.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, cast

from sagaline.engine.codec import Codec, Plain
from sagaline.engine.definition import Saga
from sagaline.engine.state import SagaState, StepState, StepStatus

ROW = Codec(SagaState, StepState)
Dump: TypeAlias = Callable[[object], Plain]


@dataclass(frozen=True, slots=True)
class Written:
    """A saga's state as text: `head` is all but its steps, `steps` each begun one's part.

    `message` is what `dump` made of the message that started it.
    """

    head: str
    message: Plain
    steps: Mapping[str, tuple[StepState, str]]

    @property
    def text(self) -> str:
        """The whole as one JSON object."""
        steps = ", ".join(part for _, part in self.steps.values())
        return f'{self.head[:-1]}, "steps": {{{steps}}}}}'


def write(saga: SagaState, dump: Dump, before: Written | None = None) -> Written:
    """The saga's text; `dump` makes something plain of each message in it.

    `before` is an earlier text of the same saga: what stands in it is not written again.
    """
    message = dump(saga.message) if before is None else before.message
    known = {} if before is None else before.steps
    steps: dict[str, tuple[StepState, str]] = {}
    for name, step in saga.steps.items():
        if step.status is not StepStatus.PLANNED:
            part = known.get(name)
            # Steps are immutable: the same object has the same text.
            if part is None or part[0] is not step:
                part = (step, _step_text(step, dump))
            steps[name] = part
    defined_by = [saga.definition.name, saga.definition.version, saga.definition.hash]
    head = ROW.write(saga) | {"definition": cast(list[Plain], defined_by), "message": message}
    return Written(json.dumps(head), message, steps)


def _step_text(step: StepState, dump: Dump) -> str:
    plain = ROW.write(step)
    if step.reply is not None:
        plain["reply"] = dump(step.reply)
    return json.dumps({step.name: plain})[1:-1]


def read(text: str, definition: Saga, load: Callable[[Plain], object]) -> SagaState:
    """The saga again; `definition` is the one that it runs by, `load` undoes `dump`."""
    row = cast(Mapping[str, Plain], json.loads(text))
    name, version, _ = cast(list[Plain], row["definition"])
    assert (name, version) == (definition.name, definition.version), (name, version, definition)
    begun = cast(Mapping[str, Mapping[str, Plain]], row["steps"])
    steps = {
        step.name: _step(begun.get(step.name, {"type": StepState.__name__}), plan=step, load=load)
        for step in definition.by_name.values()
    }
    rest = {n: held for n, held in row.items() if n not in ("definition", "message", "steps")}
    message = load(row["message"])
    saga = ROW.read(rest, definition=definition, steps=steps, message=message)
    return cast(SagaState, saga)


def _step(
    written: Mapping[str, Plain], *, plan: object, load: Callable[[Plain], object]
) -> StepState:
    reply = load(written["reply"]) if "reply" in written else None
    rest = {name: held for name, held in written.items() if name != "reply"}
    return cast(StepState, ROW.read(rest, plan=plan, reply=reply))
