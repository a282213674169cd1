"""Real servers and services, started when a test asks for them."""

pytest_plugins = ["sagaline.testing.plugin"]
