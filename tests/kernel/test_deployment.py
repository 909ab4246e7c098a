"""docker-compose.yml, Dockerfile and proxy, held against what the product runs as. No container engine is needed to see
that they disagree."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent.parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((HERE / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]


def test_every_setting_of_the_compose_file_is_one_of_ours() -> None:
    known = set(re.findall(r'env_\w+\(\s*"(\w+)"', (HERE / "samia_chat" / "settings.py").read_text()))
    known |= {"DATABASE_URL", "DATABASE_OWNER_URL"}
    for name in ("web", "worker", "migrate"):
        assert set(SERVICES[name]["environment"]) <= known, name
    for name in ("web", "worker"):
        assert SERVICES[name]["environment"]["DATABASE_URL"].startswith("postgresql://samia_app:")
        assert "DATABASE_OWNER_URL" not in SERVICES[name]["environment"]  # whoever serves cannot change the schema


def test_files_that_are_mounted_are_there() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert not source.startswith("./") or (HERE / source).exists(), source


def test_services_wait_for_services_that_are_there() -> None:
    for service in SERVICES.values():
        for name, condition in service.get("depends_on", {}).items():
            assert name in SERVICES
            if condition["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[name], name


def test_variables_without_a_default_are_in_the_example() -> None:
    text = (HERE / "docker-compose.yml").read_text()
    needed = set(re.findall(r"\$\{(\w+):\?\}", text))
    given = set(re.findall(r"^(\w+)=", (HERE / "deploy" / "example.env").read_text(), re.MULTILINE))
    assert needed <= given


def test_the_store_of_files_asks_for_our_key_and_shows_no_other_door() -> None:
    files, web = SERVICES["files"], SERVICES["web"]["environment"]
    (given,) = files["configs"]
    identities = yaml.safe_load(COMPOSE["configs"][given["source"]]["content"])["identities"]
    (credentials,) = (pair for identity in identities for pair in identity["credentials"])
    assert credentials == {"accessKey": web["S3_ACCESS_KEY"], "secretKey": web["S3_SECRET_KEY"]}
    assert f"-s3.config={given['target']}" in files["command"]
    port = web["S3_ENDPOINT_URL"].rpartition(":")[2]
    assert files["ports"] == [f"{port}:{port}"]
    assert f"-s3.port={port}" in files["command"]
    for name in ("web", "worker"):
        assert SERVICES[name]["depends_on"]["bucket"] == {"condition": "service_completed_successfully"}


def test_the_image_serves_with_the_arguments_of_samia_up() -> None:
    """One command line, measured: both start the server alike, but for address, port and number of processes."""
    own = {"--host", "--port", "--workers"}

    def options(words: list[str]) -> dict[str, str]:
        found, at = {}, 0
        while at < len(words):
            if words[at].startswith("--"):
                has_value = at + 1 < len(words) and not words[at + 1].startswith("--")
                found[words[at]] = words[at + 1] if has_value else ""
            at += 1
        return {name: value for name, value in found.items() if name not in own}

    image = re.search(r"CMD (\[.*?\])", (HERE / "Dockerfile").read_text(), re.DOTALL)
    assert image
    in_image = options(yaml.safe_load(image[1].replace("\\\n", "")))
    source = (HERE / "samia_chat" / "embedded" / "up.py").read_text()
    server = source[source.index("server = [") : source.index("worker = [")]
    in_up = options([word for word in re.findall(r'"([^"]+)"', server) if word not in ("-m", "uvicorn")])
    assert in_image.pop("--log-config") == "samia_chat/embedded/uvicorn.json"
    in_up.pop("--log-config")
    assert in_image == in_up


def test_the_database_image_is_the_version_that_is_tested(truth: Any) -> None:
    version = int(truth.one("SHOW server_version_num")) // 10000
    assert SERVICES["db"]["image"] == f"postgres:{version}"


def test_ci_installs_what_the_readme_names() -> None:
    ci, readme = (HERE / ".ci" / "run").read_text(), (HERE / "README.md").read_text()
    named = re.search(r"apt-get install ([a-z0-9 -]+)", readme)
    assert named
    assert {package for package in shlex.split(named[1]) if package in ci} == set(shlex.split(named[1]))
    assert "./samia test" in readme
    assert "exec ./samia test" in ci


def test_lock_files_name_no_registry_and_no_file_a_path_of_one_machine() -> None:
    for lock in (*HERE.glob("*.lock"), *HERE.glob("**/package-lock.json")):
        if lock.name == "uv.lock" or any(part in (".venv", "node_modules", ".samia") for part in lock.parts):
            continue
        assert not re.search(r"https?://", lock.read_text()), lock
