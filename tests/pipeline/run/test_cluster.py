"""On a cluster of several nodes, of which one may be lost."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.pipeline.command import ROOT, run, start, summary
from tests.streams import free_port, wait_until

CLUSTER = """
import json, sys
from ray.cluster_utils import Cluster
quick = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 500,
         "health_check_timeout_ms": 500, "health_check_failure_threshold": 3}
head = {"num_cpus": 2, "object_store_memory": 300 * 2**20, "_system_config": quick}
cluster = Cluster(initialize_head=True, head_node_args=head)
second = cluster.add_node(num_cpus=2, object_store_memory=300 * 2**20)
print(json.dumps({"address": cluster.address}), flush=True)
sys.stdin.readline()
cluster.remove_node(second, allow_graceful=False)
print("lost", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def cluster() -> Iterator[subprocess.Popen[str]]:
    """Two nodes on this machine; the first line written to it kills the second node."""
    process = subprocess.Popen(
        [sys.executable, "-c", CLUSTER],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True,
    )  # fmt: skip
    yield process
    process.communicate("\n\n", timeout=60)


def test_file_for_rays_launcher_is_valid() -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    validate_config(prepare_config(yaml.safe_load((ROOT / "configs" / "cluster.yaml").read_text())))


@pytest.mark.slow
@pytest.mark.ray
def test_lost_node_costs_nothing_but_time(
    samples: dict[str, Path], tmp_path: Path, cluster: subprocess.Popen[str]
) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    for number in range(3):
        for clip in samples.values():
            shutil.copy(clip, videos / f"{number}-{clip.name}")
    whole, out = tmp_path / "whole", tmp_path / "out"
    assert run("run", videos, "-o", whole, "--executor", "local", "--no-video").returncode == 0

    assert cluster.stdin is not None
    assert cluster.stdout is not None
    address = json.loads(cluster.stdout.readline())["address"]
    process = start(
        "run", videos, "-o", out, "--address", address, stderr=subprocess.STDOUT, cwd=tmp_path
    )
    wait_until(lambda: len(list(out.glob("*/summary.json"))) >= 2, timeout_s=120)
    cluster.stdin.write("\n")
    cluster.stdin.flush()
    said, _ = process.communicate(timeout=240)
    assert process.returncode == 0, [line for line in said.splitlines() if "failed" in line]
    for video in videos.iterdir():
        assert summary(out / video.name)["status"] == "complete"
        tables = [folder / video.name / "timeline.csv" for folder in (whole, out)]
        assert tables[0].read_bytes() == tables[1].read_bytes()


@pytest.mark.slow
@pytest.mark.ray
def test_nodes_export_the_metrics_of_a_batch(
    samples: dict[str, Path], tmp_path: Path, metrics_cluster: str
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_text("no video")
    outcome = run(
        "run", broken, samples["single_face.mp4"], "-o", tmp_path / "out", "--no-video",
        "--address", "auto",
    )  # fmt: skip
    assert outcome.returncode == 1, outcome.stderr
    wait_until(lambda: figure(metrics_cluster, "frames") == 72, timeout_s=60)
    assert figure(metrics_cluster, "faces") == summary(tmp_path / "out/single_face.mp4")["faces"]
    assert figure(metrics_cluster, "videos", status="failed") == 1
    assert figure(metrics_cluster, "videos", status="complete") == 1
    assert figure(metrics_cluster, "queue_batches", lane="1") == 0


@pytest.fixture
def metrics_cluster() -> Iterator[str]:
    """A node of Ray as users start it; the address of its metrics."""
    pytest.importorskip("opentelemetry.exporter.prometheus", reason="the extra 'cluster' is absent")
    ray = Path(sys.executable).with_name("ray")
    port = free_port()
    subprocess.run(
        [ray, "start", "--head", "--num-cpus=2", f"--metrics-export-port={port}"],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    yield f"http://127.0.0.1:{port}/metrics"
    subprocess.run([ray, "stop"], check=True, capture_output=True, timeout=60)


def figure(address: str, name: str, **labels: str) -> float | None:
    with urlopen(address, timeout=10) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    for family in families:
        for sample in family.samples:
            own = f"emotion_timelines_{name}" in sample.name
            if own and labels.items() <= sample.labels.items():
                return float(sample.value)
    return None
