"""What a release says of itself is the same wherever it stands."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_version_is_one():
    assert f"\nversion: {PROJECT['version']}\n" in text("CITATION.cff")
    assert f"\n## {PROJECT['version']}\n" in text("CHANGELOG.md")


def test_the_licence_is_one():
    assert PROJECT["license"] == "MIT" and "\nlicense: MIT\n" in text("CITATION.cff")
    assert text(PROJECT["license-files"][0]).startswith("MIT License\n")


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_each_python_that_is_named_is_tried(python):
    assert f"Programming Language :: Python :: {python}" in PROJECT["classifiers"]
    assert f'"{python}"' in text(".github/workflows/newest.yml")
