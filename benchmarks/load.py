"""A sender that costs little: prebuilt requests over kept connections, several threads, answers counted by status."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Sequence

SECRET = b"bench-secret"


def order(number: int) -> bytes:
    """A WooCommerce order of about 3 KB."""
    item = {
        "id": number * 10,
        "name": "Teekanne Glas 1,2 l",
        "product_id": 10,
        "variation_id": 0,
        "quantity": 1,
        "tax_class": "",
        "subtotal": "33.57",
        "subtotal_tax": "6.38",
        "total": "33.57",
        "total_tax": "6.38",
        "taxes": [{"id": 1, "total": "6.38", "subtotal": "6.38"}],
        "meta_data": [{"id": n, "key": f"_key_{n}", "value": "x" * 90} for n in range(6)],
        "sku": "TK-100",
        "price": 33.571429,
    }
    address = {
        "first_name": "Erika",
        "last_name": f"Musterfrau {number}",
        "company": "",
        "address_1": "Hauptstraße 5",
        "address_2": "",
        "city": "Köln",
        "state": "",
        "postcode": "50667",
        "country": "DE",
        "email": f"erika{number}@example.test",
        "phone": "+49 221 1234567",
    }
    found = {
        "id": number,
        "number": str(number),
        "status": "processing",
        "currency": "EUR",
        "prices_include_tax": True,
        "date_created_gmt": "2026-11-20T17:10:17",
        "date_modified_gmt": "2026-11-20T17:10:34",
        "date_paid_gmt": "2026-11-20T17:10:26",
        "total": "44.85",
        "total_tax": "7.16",
        "shipping_total": "4.12",
        "shipping_tax": "0.78",
        "discount_total": "0.00",
        "discount_tax": "0.00",
        "cart_tax": "6.38",
        "customer_id": 0,
        "billing": address,
        "shipping": address,
        "payment_method": "bacs",
        "payment_method_title": "Vorkasse",
        "transaction_id": "",
        "customer_note": "",
        "line_items": [item],
        "tax_lines": [{"id": 5, "rate_code": "DE-MWST-1", "rate_id": 1, "label": "MwSt.", "rate_percent": 19}],
        "shipping_lines": [
            {"id": 4, "method_title": "DHL", "method_id": "flat_rate", "total": "4.12", "total_tax": "0.78",
             "taxes": [{"id": 1, "total": "0.78", "subtotal": ""}], "meta_data": []}
        ],
        "fee_lines": [],
        "coupon_lines": [],
        "refunds": [],
        "meta_data": [{"id": n, "key": f"_meta_{n}", "value": "y" * 60} for n in range(6)],
    }  # fmt: skip
    return json.dumps(found).encode()


def request(number: int, path: str = "/webhooks/laden/") -> bytes:
    """The whole HTTP request, signed."""
    body = order(number)
    signature = base64.b64encode(hmac.digest(SECRET, body, hashlib.sha256)).decode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        "X-WC-Webhook-Source: http://bench/\r\nX-WC-Webhook-Topic: order.updated\r\nX-WC-Webhook-Resource: order\r\n"
        f"X-WC-Webhook-Event: updated\r\nX-WC-Webhook-ID: 1\r\nX-WC-Webhook-Delivery-ID: {number:032x}\r\n"
        f"X-WC-Webhook-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def send(port: int, requests: Sequence[bytes], connections: int = 8) -> tuple[float, Counter[int]]:
    """Send all; returns requests per second and how often each status came."""
    counts: Counter[int] = Counter()
    shares = [requests[place::connections] for place in range(connections)]
    threads = [threading.Thread(target=_share, args=(port, share, counts)) for share in shares]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(requests) / (time.perf_counter() - began), counts


def _share(port: int, share: Sequence[bytes], counts: Counter[int]) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for message in share:
            connection.sendall(message)
            counts[_answer(connection)] += 1


def _answer(connection: socket.socket) -> int:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65_536)
    head, _blank, body = data.partition(b"\r\n\r\n")
    length = int(next(row for row in head.lower().split(b"\r\n") if row.startswith(b"content-length")).split(b":")[1])
    while len(body) < length:
        body += connection.recv(65_536)
    return int(head[9:12])
