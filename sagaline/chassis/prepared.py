"""What was got for a batch of the outside world, before the transaction that commits it.

See docs/architecture.md, "Effects". A service without effects has PLAIN for each of its batches.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sagaline.chassis.batch import Place
from sagaline.chassis.commands import Results
from sagaline.chassis.positions import Partition


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was got for a batch before its transaction: results of calls, and whose failed.

    No partition of `ends` advances beyond its offset: the record there waits for its call.
    """

    results: Results = field(default_factory=dict)
    failed: Mapping[Place, Exception] = field(default_factory=dict)
    ends: Mapping[Partition, int] = field(default_factory=dict)


PLAIN: Final = Prepared()
