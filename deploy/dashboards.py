"""What Grafana shows: sagas, messages, services. Writes deploy/observability/grafana/dashboards.

python -m deploy.dashboards
"""

import json
import sys
from pathlib import Path
from typing import Final

from deploy.grafana import Dashboard, Panel

FOLDER: Final = Path(__file__).parent / "observability" / "grafana" / "dashboards"


def quantile(of: float, metric: str, *by: str, where: str = "") -> str:
    """The quantile of a histogram over a minute, by these labels."""
    labels = ", ".join((*by, "le"))
    return f"histogram_quantile({of}, sum by ({labels}) (rate({metric}_bucket{where}[1m])))"


def per_second(metric: str, *by: str, where: str = "") -> str:
    """How often, over a minute, by these labels."""
    return f"sum by ({', '.join(by)}) (rate({metric}{where}[1m]))"


def mean(histogram: str, by: str) -> str:
    """The mean of what a histogram has seen in a minute."""
    return f"{per_second(f'{histogram}_sum', by)} / {per_second(f'{histogram}_count', by)}"


QUANTILES: Final = (0.5, 0.95, 0.99)
PROBES: Final = '{route!~"/livez|/readyz|/metrics"}'
FAILED: Final = '{status=~"5..",route!~"/livez|/readyz|/metrics"}'
LIMIT: Final = 'max by (service) (sagaline_setting{name="database_pool_size"})'

SAGAS: Final = Dashboard(
    "sagaline-sagas",
    "Sagas",
    (
        Panel(
            "Under way",
            "short",
            # Each process counts the same database.
            {"{{state}}": "sum by (state) (max by (definition, state) (sagaline_sagas_under_way))"},
        ),
        Panel("Ended", "ops", {"{{state}}": per_second("sagaline_sagas_ended_total", "state")}),
        Panel(
            "Orders, by what became of the request",
            "ops",
            {"{{answer}}": per_second("sagaline_intake_answers_total", "answer")},
        ),
        Panel(
            "From start to end",
            "s",
            {f"p{of * 100:.0f}": quantile(of, "sagaline_saga_seconds") for of in QUANTILES},
        ),
        Panel(
            "Steps: from the command to its answer, p95",
            "s",
            {"{{step}}": quantile(0.95, "sagaline_saga_step_seconds", "step")},
        ),
        Panel(
            "Steps refused",
            "ops",
            {
                "{{step}}": per_second(
                    "sagaline_saga_step_seconds_count", "step", where='{answer="refused"}'
                )
            },
        ),
        Panel(
            "Steps without an answer in time",
            "ops",
            {"{{step}} {{as}}": per_second("sagaline_saga_steps_overdue_total", "step", "as")},
            "delayed: the participant has yet to read the command. in_doubt: nobody answered.",
        ),
        Panel(
            "Answers that changed nothing",
            "ops",
            {"{{reason}}": per_second("sagaline_saga_inputs_ignored_total", "reason")},
        ),
        Panel(
            "For a person",
            "short",
            {
                "stalled": "sum(max by (definition) (sagaline_sagas_stalled))",
                "behind a parked record": "sum(max by (definition) (sagaline_sagas_parked))",
                "need attention": "sum(max by (definition) (sagaline_sagas_needing_attention))",
                "orders without a saga": "max(sagaline_orders_given_up)",
            },
        ),
    ),
)

MESSAGES: Final = Dashboard(
    "sagaline-messages",
    "Messages",
    (
        Panel(
            "Handled", "ops", {"{{service}}": per_second("sagaline_inbox_records_total", "service")}
        ),
        Panel(
            "Waiting in Kafka",
            "short",
            {"{{service}} {{topic}}": "sum by (service, topic) (sagaline_consumer_lag_records)"},
        ),
        Panel(
            "Records in a batch, mean",
            "short",
            {"{{service}}": mean("sagaline_inbox_batch_records", "service")},
        ),
        Panel(
            "Time of a batch, p95",
            "s",
            {"{{service}}": quantile(0.95, "sagaline_inbox_batch_seconds", "service")},
        ),
        Panel(
            "Published", "ops", {"{{service}}": per_second("sagaline_relay_rows_total", "service")}
        ),
        Panel(
            "Waiting in the outbox",
            "short",
            {"{{service}}": "max by (service) (sagaline_outbox_rows)"},
        ),
        Panel(
            "Oldest in the outbox",
            "s",
            {"{{service}}": "max by (service) (sagaline_outbox_oldest_seconds)"},
        ),
        Panel(
            "Time of a round to Kafka, p95",
            "s",
            {"{{service}}": quantile(0.95, "sagaline_relay_round_seconds", "service")},
        ),
        Panel(
            "Set aside",
            "short",
            {
                "{{service}} parked": "max by (service) (sagaline_parked_records)",
                "{{service}} quarantined": "max by (service) (sagaline_outbox_quarantined_rows)",
            },
        ),
        Panel(
            "Repeats, answered from the barrier",
            "ops",
            {"{{service}}": per_second("sagaline_inbox_repeats_total", "service")},
        ),
        Panel(
            "Batches that failed by a record",
            "ops",
            {
                "{{service}} {{error}}": per_second(
                    "sagaline_inbox_failures_total", "service", "error"
                )
            },
        ),
        Panel(
            "Errors of relays",
            "ops",
            {
                "{{service}} {{error}}": per_second(
                    "sagaline_relay_errors_total", "service", "error"
                )
            },
        ),
    ),
)

SERVICES: Final = Dashboard(
    "sagaline-services",
    "Services",
    (
        Panel(
            "Requests",
            "reqps",
            {
                "{{service}} {{route}}": per_second(
                    "sagaline_http_request_seconds_count", "service", "route", where=PROBES
                )
            },
        ),
        Panel(
            "Answered with 5xx",
            "reqps",
            {
                "{{service}} {{status}}": per_second(
                    "sagaline_http_request_seconds_count", "service", "status", where=FAILED
                )
            },
        ),
        Panel(
            "Time of an answer, p95",
            "s",
            {
                "{{service}} {{route}}": quantile(
                    0.95, "sagaline_http_request_seconds", "service", "route", where=PROBES
                )
            },
            "Requests that wait for their order, and streams, take as long as these.",
        ),
        Panel(
            "Being answered, and waiting for an order",
            "short",
            {
                "{{service}}": "sum by (service) (sagaline_http_requests_in_flight)",
                "wait for an order": "sum(sagaline_orders_waited_for)",
                "streams": "sum(sagaline_order_streams)",
            },
        ),
        Panel(
            "Database sessions, of those that may be",
            "percentunit",
            {"{{service}}": f"max by (service) (sagaline_database_sessions) / {LIMIT}"},
        ),
        Panel(
            "Handles records, drains its outbox",
            "short",
            {
                "{{service}} consumer": "max by (service) (sagaline_consumer_healthy)",
                "{{service}} relay": "sum by (service) (sagaline_relay_holds_lane)",
            },
        ),
        Panel(
            "Processor",
            "percentunit",
            {"{{service}}": per_second("process_cpu_seconds_total", "service")},
        ),
        Panel(
            "Memory",
            "bytes",
            {"{{service}}": "sum by (service) (process_resident_memory_bytes)"},
        ),
        Panel("Processes", "short", {"{{service}}": 'sum by (service) (up{job="sagaline"})'}),
    ),
)

DASHBOARDS: Final = (SAGAS, MESSAGES, SERVICES)


def files() -> dict[Path, str]:
    """The dashboards' files as they ought to be now."""
    return {
        FOLDER / f"{each.uid.removeprefix('sagaline-')}.json": (
            json.dumps(each.document(), indent=2) + "\n"
        )
        for each in DASHBOARDS
    }


def main() -> int:
    """Write them."""
    for path, text in files().items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
