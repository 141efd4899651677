"""Keys and codes: what proves that a code is ours.

This room knows no web, no SQL and no Redis. It says who made a code and until when
it may be used; whether it was spent before is not known here (see
``app.programme.codes``).

``codes``: the 80 bytes, signed and verified. ``keyring``: the keys as a value.
``keyfiles``: the ring on disk, sealed and watched. ``signers``: what signs, wherever it
is. ``tokens``: keys that stay inside a PKCS#11 token. ``links``: mail links and sign-in
tokens. ``qr``: a code as a picture. ``errors``: everything that can go wrong.
"""
