"""The rows of settings."""

from __future__ import annotations

from secure_mcp_gateway.operations import schemas
from secure_mcp_gateway.operations.operation import ADMIN, READ, WRITE, Operation
from secure_mcp_gateway.params import BOOLEAN, SECRET, STRING, Param
from secure_mcp_gateway.repository import settings

_ENKRYPT = "/api/v1/settings/enkrypt-api-key"
_TELEMETRY = "/api/v1/settings/telemetry"
_TELEMETRY_COLUMNS = ("enabled", "url", "insecure")
_ENKRYPT_KEY = Param(
    "api_key", SECRET, "The key that Enkrypt issued.", required=True, schema=schemas.VISIBLE_ASCII, example="ek-0123456789abcdef"
)
_COLLECTOR = "The http or https URL of the OpenTelemetry collector."
_TELEMETRY_PARAMS = (
    Param("enabled", BOOLEAN, "Send telemetry, or do not.", example=True),
    Param("url", STRING, _COLLECTOR, schema=schemas.URL, example="http://localhost:4317"),
    Param("insecure", BOOLEAN, "Do without TLS on the way there.", example=True),
)

OPERATIONS = (
    Operation(
        "config set-enkrypt-api-key",
        "Set the API key for Enkrypt's guardrails",
        "Enkrypt API key set successfully",
        f"PUT {_ENKRYPT}",
        settings.set_enkrypt_api_key,
        ADMIN,
        WRITE,
        answer="EnkryptKey",
        params=(_ENKRYPT_KEY,),
        columns=("api_key",),
        errors=("invalid_request",),
    ),
    Operation(
        "config get-enkrypt-api-key",
        "Show the API key for Enkrypt's guardrails, masked",
        "Enkrypt API key retrieved successfully",
        f"GET {_ENKRYPT}",
        settings.get_enkrypt_api_key,
        ADMIN,
        READ,
        answer="EnkryptKey",
        columns=("api_key",),
    ),
    Operation(
        "config configure-telemetry",
        "Set where telemetry goes; what is not named stays",
        "Telemetry configured successfully",
        f"PUT {_TELEMETRY}",
        settings.set_telemetry,
        ADMIN,
        WRITE,
        answer="Telemetry",
        params=_TELEMETRY_PARAMS,
        any_of=_TELEMETRY_PARAMS,
        columns=_TELEMETRY_COLUMNS,
        errors=("invalid_request",),
    ),
    Operation(
        "config get-telemetry",
        "Show where telemetry goes",
        "Telemetry settings retrieved successfully",
        f"GET {_TELEMETRY}",
        settings.get_telemetry,
        ADMIN,
        READ,
        answer="Telemetry",
        columns=_TELEMETRY_COLUMNS,
    ),
)
