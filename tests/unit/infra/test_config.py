"""A stage's settings out of CDK context."""

import pytest

from infra.config import StageConfig, defaults, from_context, settings
from warmstart.errors import InvalidSetting

P256 = (  # RFC 6979, A.2.5
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Z5"
    "A/4QCLi8maQa6elWKLxk8vGyDC1+n1F3o8KU1EYimQ=="
)
ED25519 = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="  # RFC 8032, 7.1, test 1
OURS_ALONE = {
    "server_timing",
    "default_model",
    "v1_protocol",
    "warm_up",
    "layer_platform",
    "alias_ttl_s",
    "require_signature",
}
FLAG = "@aws-cdk/aws-lambda:recognizeLayerVersion"


def refusal(**context: object) -> InvalidSetting:
    with pytest.raises(InvalidSetting) as caught:
        from_context(context)
    return caught.value


def test_no_settings_at_all_are_enough() -> None:
    assert from_context({}) == StageConfig()


def test_the_stage_has_its_own_settings() -> None:
    stages = {"prod": {"memory_mb": 2048}, "dev": {"memory_mb": 512}}

    assert from_context({"stages": stages, "stage": "dev"}) == StageConfig(stage="dev", memory_mb=512)


def test_prod_is_the_stage_that_nobody_names() -> None:
    stages = {"prod": {"memory_mb": 2048}, "dev": {"memory_mb": 512}}

    assert from_context({"stages": stages}) == StageConfig(stage="prod", memory_mb=2048)


def test_the_command_line_overrides_one_setting_of_the_stage() -> None:
    context = {"stages": {"prod": {"memory_mb": 2048, "timeout_s": 5}}, "memory_mb": "3008"}

    assert from_context(context) == StageConfig(memory_mb=3008, timeout_s=5)


def test_the_cdks_own_context_is_left_alone() -> None:
    assert from_context({FLAG: True, "aws:cdk:enable-path-metadata": True}) == StageConfig()


def test_what_cdk_commands_write_into_the_context_is_left_alone() -> None:
    assert from_context({"acknowledged-issue-numbers": [34892], "cli-telemetry": False}) == StageConfig()


def test_a_bad_value_is_refused_with_its_name_what_was_expected_and_what_came() -> None:
    error = refusal(memory_mb="64")

    assert error.name == "memory_mb"
    assert error.message == "memory_mb: expected 128 to 10240 (MB); got '64'"


def test_an_unknown_setting_is_refused_with_the_nearest_name() -> None:
    error = refusal(memry_mb="512")

    assert error.name == "memry_mb"
    assert error.message == "memry_mb: no such setting; did you mean 'memory_mb'?"


def test_an_unknown_setting_of_a_stage_is_refused() -> None:
    assert refusal(stages={"prod": {"timeouts": 3}}).message == "timeouts: no such setting; did you mean 'timeout_s'?"


def test_a_name_like_no_setting_lists_them_all() -> None:
    assert refusal(zzzz="1").message.startswith("zzzz: no such setting; expected one of stage, architecture, ")


def test_a_stage_that_cdk_json_does_not_have_is_refused() -> None:
    error = refusal(stages={"prod": {}, "dev": {}}, stage="prd")

    assert error.message == "stage: expected one of those under \"stages\" in cdk.json (prod, dev); got 'prd'"


def test_a_stage_does_not_name_itself() -> None:
    assert refusal(stages={"prod": {"stage": "dev"}}).name == "stage"


@pytest.mark.parametrize("stages", [[], "prod", {"prod": 3}])
def test_stages_of_another_shape_are_refused(stages: object) -> None:
    assert "expected an object in cdk.json" in refusal(stages=stages).message


@pytest.mark.parametrize("text", ["iris", "iris@live", "iris:0", "Iris:1", "iris:"])
def test_only_versions_are_baked(text: str) -> None:
    error = refusal(baked_models=text)

    assert error.name == "baked_models"


@pytest.mark.parametrize("text", ["iris:0", "Iris", "iris:", "iris@"])
def test_what_is_no_model_is_not_preloaded(text: str) -> None:
    error = refusal(preload=text)

    assert error.name == "preload"


def test_models_to_preload_may_be_aliases_or_versions() -> None:
    assert from_context({"preload": "iris,digits:1,iris@canary"}).preload == ("iris", "digits:1", "iris@canary")


def test_models_to_bake_are_listed_on_the_command_line_with_commas() -> None:
    assert from_context({"baked_models": "iris:3,digits:1"}).baked_models == ("iris:3", "digits:1")


def test_keys_are_listed_on_the_command_line_with_commas_and_a_flag_as_a_word() -> None:
    config = from_context({"require_signature": "true", "signing_public_keys": f"{P256},{ED25519}"})

    assert (config.require_signature, config.signing_public_keys) == (True, (P256, ED25519))


def test_signatures_are_not_asked_for_without_a_key_to_check_them_with() -> None:
    error = refusal(require_signature=True)

    assert (error.name, "expected a key in signing_public_keys" in error.message) == ("require_signature", True)


@pytest.mark.parametrize("text", ["MFkw", P256[:-4], "A" * 120, f"-----BEGIN PUBLIC KEY-----\n{P256}"])
def test_a_key_of_another_kind_is_refused_before_anything_is_deployed(text: str) -> None:
    assert refusal(signing_public_keys=[text]).name == "signing_public_keys"


def test_a_config_cannot_be_built_wrong() -> None:
    with pytest.raises(InvalidSetting, match=r"^timeout_s: expected 1 to 29 \(s\); got 30$"):
        StageConfig(timeout_s=30)


@pytest.mark.parametrize("name", settings())
def test_every_setting_is_documented_and_its_default_allowed(name: str) -> None:
    setting = settings()[name]

    assert setting.says.endswith(".")
    assert setting.kind.allowed
    assert setting.page.startswith("https://docs.aws.amazon.com/") or name in OURS_ALONE
    assert setting.read(name, defaults()[name]) == defaults()[name]


@pytest.mark.parametrize("name", settings())
def test_every_setting_refuses_an_object(name: str) -> None:
    value: object = {"a": 1}

    assert refusal(**{name: value}).name == name
