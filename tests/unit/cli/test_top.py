"""`sagactl top`: what it makes of two looks, on paper."""

import io

import pytest
from rich.console import Console

from sagaline.cli import top
from sagaline.cli.output import print_table
from sagaline.local import vitals
from sagaline.local.figures import Figures
from sagaline.local.process_usage import Usage
from sagaline.local.vitals import ServiceVitals, Vitals

WELL = ServiceVitals(None, 0, 0, 0.0, 0, 0)
BUSY = ServiceVitals("relay: Kafka can't be reached", 1_234_567, 100_000, 93.44, 2, 200)


def look(at_s: float, *, accepted: float, completed: int, cpu_s: float) -> Vitals:
    ended = {"COMPLETED": completed, "COMPENSATED": 4, "NEEDS_ATTENTION": 1}
    return Vitals(
        at_s=at_s,
        accepted=accepted,
        sagas={"UNDER_WAY": 3, **ended},
        services={"gateway_service": WELL, "notification_service": BUSY},
        usage={
            "gateway_service": Usage(cpu_s, 98),
            "PostgreSQL": Usage(10 * cpu_s, 2_150),
        },
    )


BEFORE = look(100.0, accepted=1_000, completed=900, cpu_s=1.0)
AFTER = look(102.0, accepted=1_025, completed=920, cpu_s=1.5)

GOLDEN = """\
orders  12.5/s accepted, 10.0/s ended
sagas   3 under way, 920 COMPLETED, 4 COMPENSATED, 1 NEEDS_ATTENTION
                                 lag      outbox  oldest  parked  quar.  CPU    MiB
gateway_service       ready      0        0       0.0 s   0       0      25 %   98
notification_service  NOT READY  1234567  100000  93.4 s  200+    2
PostgreSQL                                                               250 %  2150
"""


def test_a_look_is_shown_in_80_columns_when_figures_are_usual() -> None:
    out = Console(file=io.StringIO(), width=120, highlight=False)
    rates = vitals.between(BEFORE, AFTER)
    for line in top.summary(AFTER, rates):
        out.print(line)
    print_table(out, top.TITLES, top.rows(AFTER, rates))
    assert isinstance(out.file, io.StringIO)
    assert out.file.getvalue() == GOLDEN


def test_what_a_restart_counts_anew_is_no_negative_rate() -> None:
    rates = vitals.between(AFTER, BEFORE)
    assert (rates.accepted, rates.ended) == (0, 0)
    assert set(rates.cpu_percent.values()) == {0.0}


def test_programs_get_the_same_figures() -> None:
    document = top.document(AFTER, vitals.between(BEFORE, AFTER))
    assert document["orders"] == {"accepted": 1025, "accepted_per_s": 12.5, "ended_per_s": 10.0}
    processes = document["processes"]
    assert isinstance(processes, dict)
    assert processes["PostgreSQL"] == {"cpu_percent": 250.0, "memory_mib": 2150}


@pytest.mark.parametrize("labels, total", [({}, 7.5), ({"topic": "a"}, 3), ({"topic": "z"}, 0)])
def test_figures_are_summed_over_what_is_not_asked_for(
    labels: dict[str, str], total: float
) -> None:
    exposition = '# TYPE x gauge\nx{topic="a",p="0"} 1\nx{topic="a",p="1"} 2\nx{topic="b"} 4.5\n'
    assert Figures.parse(exposition).total("x", **labels) == total
    assert Figures.parse(exposition).by("x", "topic") == {"a": 3, "b": 4.5}
