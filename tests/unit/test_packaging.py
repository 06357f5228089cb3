"""What is shipped beside the code: the wheel, the container's files, the example of settings, licences."""

import asyncio
import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import yaml

from bot.settings import Settings, SettingsError, example, load_settings
from bot.simulator.app import served
from bot.simulator.line import LinePlatform
from tests.channels.burst import Process, environment

ROOT = Path(__file__).parents[2]
LOCK = dict(re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.M))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))

PERMISSIVE = re.compile(
    r"(OSI Approved|dependency licenses|(The )?(3-Clause )?(0?BSD|MIT|Apache|ISC|MPL|Mozilla Public License|PSF|Zlib"
    r"|Python Software|CNRI|CC0|BSL|HPND|LLVM|Version 2|Unlicense|Historical Permission)[\w. ()-]*)"
)


def contents(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file()
    }


async def test_the_wheel_answers_from_an_empty_folder_and_writes_nothing_beside_itself(tmp_path, data_dir):
    code, empty, data = tmp_path / "code", tmp_path / "empty", tmp_path / "data"
    built = ["uv", "build", "--quiet", "--offline", "--wheel", "--out-dir", str(tmp_path), str(ROOT)]
    subprocess.run([sys.executable, "-m", *built], check=True, capture_output=True)
    wheel = next(tmp_path.glob("*.whl"))
    installed = ["uv", "pip", "install", "--quiet", "--offline", "--no-deps", "--target", str(code), str(wheel)]
    subprocess.run([sys.executable, "-m", *installed], check=True, capture_output=True)
    shutil.copytree(data_dir, data)
    empty.mkdir()
    before = contents(code)
    platform = LinePlatform()
    with served(platform.app) as platform.url:
        set_up = environment(data, f"sqlite:///{data}/test.sqlite", platform.url)
        only_the_wheel = {"PYTHONPATH": str(code), "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/nonexistent"}
        server = Process(set_up | only_the_wheel, tmp_path / "log", empty)
        server.start()
        try:
            await server.ready()
            async with httpx.AsyncClient() as client:
                sent = platform.signed(platform.text("推進体制構築支援の上限は?", user="U1"))
                assert (await client.post(f"{server.url}/line/webhook", **sent)).status_code == 200
            async with asyncio.timeout(30):
                while not platform.received:
                    await asyncio.sleep(0.05)
            healthy = re.search(r"^HEALTHCHECK .*\n +CMD (\[.*\])$", DOCKERFILE, re.M)
            port = {"PORT": server.url.rpartition(":")[2]}
            assert healthy
            asked = [sys.executable, *json.loads(healthy[1])[1:]]
            await asyncio.to_thread(subprocess.run, asked, env=os.environ | port, check=True)
        finally:
            server.kill()
    assert "1億円" in str(platform.received[0])
    assert contents(code) == before
    assert not list(empty.iterdir())


def test_the_example_of_settings_is_what_the_program_prints():
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == example() + "\n"


def test_the_chroma_server_of_compose_is_the_one_of_the_lock():
    assert COMPOSE["services"]["chroma"]["image"] == f"chromadb/chroma:{LOCK['chromadb']}"


def test_the_image_and_its_service_run_as_nobody_in_particular():
    stages = re.split(r"^FROM ", DOCKERFILE, flags=re.M)
    runtime = next(stage for stage in stages if " AS runtime" in stage)
    assert re.search(r"^USER [1-9]\d+:[1-9]\d+$", runtime, re.M)
    assert re.search(r"^HEALTHCHECK .*\n.*/readyz", runtime, re.M)
    assert not any("USER " in stage for stage in stages if stage is not runtime)
    app = COMPOSE["services"]["app"]
    assert app["read_only"]
    assert app["cap_drop"] == ["ALL"]
    assert all(port.startswith("127.0.0.1:") for port in app["ports"])


def test_compose_names_only_what_there_is(monkeypatch, tmp_path):
    services = COMPOSE["services"]
    app = services["app"]
    assert app["build"]["target"] in re.findall(r"^FROM \S+ AS (\S+)$", DOCKERFILE, re.M)
    assert set(app["depends_on"]) < set(services)
    assert {volume.split(":")[0] for service in services.values() for volume in service["volumes"]} == set(
        COMPOSE["volumes"]
    )
    assert {network for service in services.values() for network in service["networks"]} == set(COMPOSE["networks"])
    assert app["ports"] == [f"127.0.0.1:8000:{app['environment']['PORT']}"]

    given = app["environment"].keys() - {"FORWARDED_ALLOW_IPS"}  # uvicorn's
    assert given <= {name.upper() for name in Settings.model_fields}
    monkeypatch.chdir(tmp_path)
    for name in given:
        monkeypatch.setenv(name, re.sub(r"\$\{\w+:\?[^}]+\}", "given", app["environment"][name]))
    load_settings()


def test_every_package_of_the_lock_is_under_a_licence_that_lets_anybody_use_it():
    licences = {}
    for package in importlib.metadata.distributions():
        name = package.metadata["Name"].lower().replace("_", "-").replace(".", "-")
        if name in LOCK:
            classifiers = package.metadata.get_all("Classifier", [])
            classified = "; ".join(c.split(" :: ")[-1] for c in classifiers if c.startswith("License"))
            stated = (package.metadata["License"] or "").split("\n")[0]
            licences[name] = package.metadata["License-Expression"] or classified or stated
    assert len(licences) > 100
    parts = {name: re.split(r"; |, | AND | OR | WITH |[()]", licence) for name, licence in licences.items()}
    odd = {name: licences[name] for name, words in parts.items() if not all(map(PERMISSIVE.match, filter(None, words)))}
    assert not odd


@pytest.mark.parametrize("setting", ["EMBEDDING_MODEL", "RERANKER_MODEL"])
def test_a_model_of_ones_own_is_refused_where_it_cannot_be_loaded(monkeypatch, setting):
    monkeypatch.setenv(setting, "/nowhere/model")
    with pytest.raises(SettingsError, match=f"{setting} のフォルダ /nowhere/model がありません"):
        load_settings()
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)  # as in the slim image
    with pytest.raises(SettingsError, match=f"{setting} のモデルを動かすパッケージ"):
        load_settings()
