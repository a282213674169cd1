"""What other teams' tests may import and ask for: a change here is a change for them."""

import inspect
from collections.abc import Mapping

import sagaline.testing
from sagaline.testing import plugin

NAMES = {
    *("Broken", "Bounds", "Sent", "Story", "Walked", "given", "sample", "walk"),
    *("APP", "OWNER", "Databases", "TestServer"),
    *("Environment", "RunningPlatform", "AwaitedSaga", "SagaHistory", "Captured", "TopicLog"),
    *("NotConsumed", "NotPublished", "NotSoon"),
}
SCOPES: Mapping[str, str] = {
    "environment_name": "session",
    "postgres_server": "session",
    "kafka_bootstrap": "session",
    "platform_config": "session",
    "databases": "session",
    "platform_settings": "session",
    "environment": "session",
    "platform": "function",
    "topics": "function",
    "captured": "function",
}


def test_the_exported_names_are_these_and_each_says_what_it_is() -> None:
    assert set(sagaline.testing.__all__) == NAMES
    for name in sagaline.testing.__all__:
        public = getattr(sagaline.testing, name)
        assert isinstance(public, str) or inspect.getdoc(public), name


def test_the_plugin_has_these_fixtures_with_these_scopes() -> None:
    found = {}
    for name, made in vars(plugin).items():
        if type(made).__name__ == "FixtureFunctionDefinition":
            found[name] = made._fixture_function_marker.scope
            assert inspect.getdoc(made._get_wrapped_function()), name
    assert found == SCOPES
