"""Reports of bundles: pages that others wrote, shown so that they can do nothing."""

import re
from base64 import b64encode
from hashlib import sha256

from model.description.catalog import Catalog
from model.description.manifest import Manifest
from model.registry.interface import RegistryUnavailable
from web.app import JsonResponse
from web.openapi.operation import HTML
from web.problems import UNAVAILABLE_RETRY_SECONDS, Problem

_STYLE = re.compile(rb"<style>(.*?)</style>", re.DOTALL)


def show_report(catalog: Catalog, manifest: Manifest) -> JsonResponse:
    """Raises Problem: 404 for a bundle without a report, 503 if it cannot be read now."""
    if not catalog.has_report(manifest):
        raise Problem(404, f"{manifest.ref} has no report; python -m model report makes one")
    try:
        report = catalog.read_report(manifest)
    except RegistryUnavailable:
        headers = {"Retry-After": str(UNAVAILABLE_RETRY_SECONDS)}
        raise Problem(
            503, f"the report of {manifest.ref} cannot be read now; try again", headers=headers
        ) from None
    return JsonResponse(report, headers={"Content-Security-Policy": policy_of(report)}, mimetype=HTML)


def policy_of(report: bytes) -> str:
    """Lets the page have its own style, and nothing else: no script, no form, no request, no origin."""
    style = _STYLE.search(report)
    allowed = f"'sha256-{b64encode(sha256(style[1]).digest()).decode()}'" if style else "'none'"
    return (
        f"default-src 'none'; style-src {allowed}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; sandbox"
    )
