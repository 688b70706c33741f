"""A layout made for one kind of processor is opened there, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import onnxruntime
import pytest

from handlers.inference.data_plane import build_data_plane
from handlers.inference.settings import InferenceSettings
from handlers.inference.variants import Variants
from model_store import keys
from model_store.gate.apply import apply
from model_store.gate.candidate import open_session, run
from model_store.gate.layouts import OPTIMISED_MAPPED, write_layouts
from model_store.gate.plan import plan_publish
from model_store.integrity import sha256_of_bytes
from model_store.manifest import Manifest, ModelFile, RunOptions, Variant, render_manifest
from tests.build import layered, manifests, models
from tests.build.inference import Answered, WatchedStore, env, event, infer_body
from warmstart.processor import layout_name

AVX2 = "flags\t: avx avx2 fma\n"
AVX512 = "flags\t: avx avx2 fma avx512f avx512bw avx512dq avx512vl\n"
FOR_AVX2 = Variant("x86_64-avx2-ort1.28", (ModelFile("a/model.onnx", 3, "0" * 64),), RunOptions(optimise=False))
FOR_AVX512 = Variant("x86_64-avx512-ort1.28", (ModelFile("b/model.onnx", 4, "1" * 64),), RunOptions(optimise=False))
MANIFEST = manifests.manifest()._replace(variants=(FOR_AVX2, FOR_AVX512))


def chosen(cpuinfo: str, *, machine: str = "x86_64", runtime: str = "1.28.0") -> Manifest:
    return Variants(cpuinfo=lambda: cpuinfo, machine=machine, runtime=runtime, threads=2).choose(MANIFEST)


@pytest.mark.parametrize(("cpuinfo", "variant"), [(AVX2, FOR_AVX2), (AVX512, FOR_AVX512)])
def test_a_processors_own_files_are_served(cpuinfo: str, variant: Variant) -> None:
    assert (chosen(cpuinfo).files, chosen(cpuinfo).run) == (variant.files, variant.run)


def test_their_size_is_what_counts() -> None:
    assert chosen(AVX512).size_bytes == 4


@pytest.mark.parametrize(
    ("cpuinfo", "machine", "runtime"),
    [
        ("flags\t: avx\n", "x86_64", "1.28.0"),
        ("flags\t: avx avx2 fma avx_vnni\n", "x86_64", "1.28.0"),
        (AVX512, "x86_64", "1.29.0"),
        ("Features\t: asimd\n", "aarch64", "1.28.0"),
        ("", "x86_64", "1.28.0"),
    ],
    ids=["older", "newer", "another release of the runtime", "another architecture", "unknown"],
)
def test_on_every_other_machine_the_portable_files_are_served(cpuinfo: str, machine: str, runtime: str) -> None:
    assert chosen(cpuinfo, machine=machine, runtime=runtime) is MANIFEST


@pytest.mark.parametrize(("threads", "rows"), [(1, 0), (2, 64)])
def test_few_rows_are_a_matter_of_several_threads(threads: int, rows: int) -> None:
    variants = Variants(cpuinfo=lambda: AVX2, machine="x86_64", runtime="1.28.0", threads=threads)
    run = RunOptions(single_thread_rows=64)
    manifest = MANIFEST._replace(run=run, variants=())
    layered = MANIFEST._replace(variants=(FOR_AVX2._replace(run=run),))
    assert [variants.choose(each).run.single_thread_rows for each in (manifest, layered)] == [rows, rows]


def test_the_processor_is_looked_at_once_and_only_for_a_manifest_with_variants() -> None:
    looked: list[str] = []

    def cpuinfo() -> str:
        looked.append("once")
        return AVX2

    variants = Variants(cpuinfo=cpuinfo, machine="x86_64", runtime="1.28.0", threads=2)
    plain = manifests.manifest()
    assert variants.choose(plain) is plain
    assert looked == []
    variants.choose(MANIFEST)
    variants.choose(MANIFEST)
    assert looked == ["once"]


def ask(tmp: Path, cpuinfo: str) -> tuple[list[float], list[str]]:
    """Serve a model that doubles, and triples on AVX2; return what it answers to 1 and 2, and the files it took."""
    body, other = models.scale(2.0), models.scale(3.0)
    file = ModelFile("avx2/model.onnx", len(other), sha256_of_bytes(other))
    name = layout_name(AVX2, "x86_64", onnxruntime.__version__)
    assert name is not None
    variant = Variant(name, (file,), RunOptions(optimise=False))
    described = manifests.manifest("doubler", body=body)._replace(variants=(variant,))
    store = WatchedStore()
    manifests.store_version(store.objects, described, body=body)
    store.objects.put(keys.artifact("doubler", 1, file.path), other)
    store.objects.put(keys.manifest("doubler", 1), render_manifest(described))
    manifests.store_alias(store.objects, "doubler", 1)
    settings = InferenceSettings.from_env(env(tmp))
    plane = build_data_plane(settings, store, write=lambda _: None, cpuinfo=lambda: cpuinfo, machine="x86_64")
    answer = Answered(plane.answer(event("POST", "/v2/models/doubler/infer", infer_body([1.0, 2.0])), "request-1"))
    return answer.json["outputs"][0]["data"], [request for request in store.requests if "DOWNLOAD" in request]


def test_the_data_plane_fetches_and_opens_the_processors_files_alone(tmp_path: Path) -> None:
    assert ask(tmp_path, AVX2) == ([3.0, 6.0], ["DOWNLOAD models/doubler/versions/1/avx2/model.onnx"])


def test_the_data_plane_of_another_processor_fetches_the_portable_ones(tmp_path: Path) -> None:
    assert ask(tmp_path, AVX512) == ([2.0, 4.0], ["DOWNLOAD models/doubler/versions/1/model.onnx"])


@pytest.mark.parametrize("cpuinfo", [AVX2, AVX512], ids=["this processor", "another"])
def test_what_the_gate_lays_out_is_served_with_its_weights_beside_it(tmp_path: Path, cpuinfo: str) -> None:
    own = layout_name(AVX2, "x86_64", onnxruntime.__version__)
    assert own is not None
    given = layered.candidate(tmp_path / "in", layered.dense())
    request = {"x": layered.ROWS[:1]}
    layouts = write_layouts(given, request, tmp_path / "layouts", processor=own).layouts
    candidate = replace(given, layout=layouts[OPTIMISED_MAPPED], variants={own: layouts[f"{own}, pre-packed"]})
    store = WatchedStore()
    plan = plan_publish(candidate, "dense", store.objects)
    apply(plan, store.objects, by="test", clock=lambda: 1.7e9, new_id=lambda: "1")
    settings = InferenceSettings.from_env(env(tmp_path))
    plane = build_data_plane(settings, store, write=lambda _: None, cpuinfo=lambda: cpuinfo, machine="x86_64")

    body = infer_body(layered.ROWS[0].tolist(), shape=(1, 16))
    answer = Answered(plane.answer(event("POST", "/v2/models/dense/infer", body), "request-1"))

    expected = run(open_session(given.layout), request)["y"][0]
    assert answer.json["outputs"][0]["data"] == pytest.approx(expected.tolist(), rel=1e-4)
    place = "models/dense/versions/1/" + (f"{own}/" if cpuinfo == AVX2 else "")
    fetched = {request for request in store.requests if request.startswith("DOWNLOAD")}
    assert fetched == {f"DOWNLOAD {place}model.onnx", f"DOWNLOAD {place}weights.bin"}
