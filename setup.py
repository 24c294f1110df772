"""Packages of the three folders under one namespace, found on disk, so that no list is kept by hand."""

from setuptools import find_packages, setup

setup(
    packages=["mmbench"]
    + [
        package
        for part in ("harness", "adapters", "benchmarks")
        for package in (f"mmbench.{part}", *(f"mmbench.{part}.{inner}" for inner in find_packages(part)))
    ]
)
