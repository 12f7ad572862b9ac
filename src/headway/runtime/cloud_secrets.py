"""Secrets that a cloud keeps, fetched with the cloud's own library; each is optional and named where it is missing."""

import base64
import json
import re
from typing import Any, Callable, Dict, Mapping, NoReturn, Optional

from headway.runtime.secret_sources import SecretError, Source

_ARN = re.compile(r"arn:aws[a-z-]*:secretsmanager:([^:]+):")
_GCP_FULL = re.compile(r"projects/[^/]+/secrets/([\w-]+)(/versions/[\w-]+)?")
_GCP_SHORT = re.compile(r"([\w-]+)(/versions/[\w-]+)?")
_VAULT = re.compile(
    r"(https://[A-Za-z0-9-]+\.vault\.[a-z.]+)/secrets/([A-Za-z][A-Za-z0-9-]{0,126})(?:/([A-Za-z0-9]{32}))?/?"
)


def from_aws(source: Source, settings: Mapping[str, str]) -> Dict[str, str]:
    """From AWS Secrets Manager; options: ``json`` (default True), ``env_var_name``, ``region``."""
    try:
        import boto3
    except ImportError as error:
        _missing(source, "boto3", "aws", error)
    found = _ARN.match(source.id)
    region = found.group(1) if found else source.options.get("region")
    region = region or settings.get("AWS_SECRETS_MANAGER_DEFAULT_REGION")
    role = source.role or settings.get("AWS_SECRETS_MANAGER_DEFAULT_ROLE")
    session: Any = boto3.session.Session(region_name=region)
    keys: Dict[str, Any] = {}
    if role:
        answer = session.client("sts").assume_role(RoleArn=role, RoleSessionName="headway")
        lent = answer["Credentials"]
        keys = {
            "aws_access_key_id": lent["AccessKeyId"],
            "aws_secret_access_key": lent["SecretAccessKey"],
            "aws_session_token": lent["SessionToken"],
        }
    return aws_values(source, session.client("secretsmanager", **keys).get_secret_value(SecretId=source.id))


def aws_values(source: Source, answer: Mapping[str, Any]) -> Dict[str, str]:
    """The variables that an answer of AWS Secrets Manager stands for."""
    name = source.options.get("env_var_name") or answer["Name"]
    if "SecretString" in answer:
        if source.options.get("json", True):
            return _from_json(source, answer["SecretString"])
        return {_variable(name): answer["SecretString"]}
    return {_variable(name): base64.b64encode(answer["SecretBinary"]).decode()}


def from_gcp(source: Source, settings: Mapping[str, str]) -> Dict[str, str]:
    """From Google Secret Manager; options: ``json`` and ``binary`` (default False), ``env_var_name``."""
    path, name = gcp_path(source, settings.get("GCP_SECRET_MANAGER_PREFIX", ""))
    try:
        from google.cloud import secretmanager
    except ImportError as error:
        _missing(source, "google-cloud-secret-manager", "gcp", error)
    payload = secretmanager.SecretManagerServiceClient().access_secret_version(name=path).payload.data
    return gcp_values(source, name, payload)


def gcp_values(source: Source, name: str, payload: bytes) -> Dict[str, str]:
    """The variables that a payload of Google Secret Manager stands for."""
    name = _variable(source.options.get("env_var_name") or name)
    if source.options.get("binary"):
        return {name: base64.b64encode(payload).decode()}
    if source.options.get("json"):
        return _from_json(source, payload.decode())
    return {name: payload.decode()}


def from_azure(source: Source, settings: Mapping[str, str]) -> Dict[str, str]:
    """From Azure Key Vault; option: ``env_var_name``."""
    vault, name, version = vault_address(source, settings.get("AZURE_KEY_VAULT_PREFIX", ""))
    try:
        from azure.identity import DefaultAzureCredential
        from azure.keyvault.secrets import SecretClient
    except ImportError as error:
        _missing(source, "azure-identity and azure-keyvault-secrets", "azure", error)
    secret = SecretClient(vault_url=vault, credential=DefaultAzureCredential()).get_secret(name, version)
    return {_variable(source.options.get("env_var_name") or name): secret.value}


def vault_address(source: Source, prefix: str) -> "tuple[str, str, Optional[str]]":
    """The vault, the secret's name in it, and its version if one is asked for."""
    address = source.id
    if not address.startswith("https://"):
        if not prefix:
            raise SecretError(
                f"The secret {source} does not say in which vault it is.",
                "Write its whole address, https://<vault>.vault.azure.net/secrets/<name>, "
                "or set METAFLOW_AZURE_KEY_VAULT_PREFIX to the vault's.",
            )
        address = f"{prefix.rstrip('/')}/secrets/{address}"
    found = _VAULT.fullmatch(address)
    if found is None:
        raise SecretError(
            f"The secret {source} has no possible address in a key vault.",
            "It looks like https://<vault>.vault.azure.net/secrets/<name>/<version>.",
        )
    vault, name, version = found.groups()
    return vault, name, version


#: By the kind that a source names.
PROVIDERS: Dict[str, Callable[[Source, Mapping[str, str]], Dict[str, str]]] = {
    "aws-secrets-manager": from_aws,
    "gcp-secret-manager": from_gcp,
    "az-key-vault": from_azure,
}


def gcp_path(source: Source, prefix: str) -> "tuple[str, str]":
    """The whole name of the secret's version, and what a variable is called after."""
    full = _GCP_FULL.fullmatch(source.id)
    short = _GCP_SHORT.fullmatch(source.id)
    if full is None and short is None:
        raise SecretError(
            f"The secret {source} has no possible name.",
            "It looks like projects/<number>/secrets/<name>, or <name>; /versions/<version> may follow.",
        )
    if full is None and not prefix:
        raise SecretError(
            f"The secret {source} does not say in which project it is.",
            "Write projects/<number>/secrets/<name>, or set METAFLOW_GCP_SECRET_MANAGER_PREFIX to what comes before it.",
        )
    found = full or short
    assert found is not None
    path = source.id if full else f"{prefix}{source.id}"
    return path if found.group(2) else f"{path}/versions/latest", found.group(1)


def _from_json(source: Source, text: str) -> Dict[str, str]:
    try:
        held = json.loads(text)
    except ValueError:
        held = None
    if not isinstance(held, dict):
        # What it holds instead is not for anybody's eyes, and an error's words may quote it.
        raise SecretError(
            f"The secret {source} is not a JSON object.",
            'Take it as it is: "options": {"json": False, "env_var_name": "NAME"}.',
        ) from None
    values: Dict[str, str] = {}
    for key, value in held.items():
        name = _variable(key)
        if name in values:
            raise SecretError(f"The secret {source} has two keys that would both be called {name}.")
        values[name] = value if isinstance(value, str) else str(value)
    return values


def _variable(name: str) -> str:
    return name.replace("-", "_").replace(".", "_").replace("/", "_")


def _missing(source: Source, packages: str, extra: str, error: ImportError) -> NoReturn:
    raise SecretError(
        f"The secret {source} needs {packages}, which is not installed where this step runs.",
        f"Here: pip install 'headway[{extra}-secrets]'. In a pod: name an image that has {packages}.",
    ) from error
