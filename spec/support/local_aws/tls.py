"""
Certificates made on the spot with openssl(1): an authority of our own, and a
server certificate of its for localhost.
"""

import os
import shutil
import ssl
import subprocess

NAMES = "DNS:localhost,IP:127.0.0.1,IP:::1"
CONFIG = """\
[req]
distinguished_name = name
prompt = no
[name]
O = Local AWS
CN = %s
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = """ + NAMES + "\n"


class TlsError(Exception):
    """openssl(1) is missing or would not make a certificate."""


def openssl(folder, *arguments):
    try:
        subprocess.run(("openssl",) + arguments, cwd=folder, check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.PIPE, timeout=30)
    except FileNotFoundError:
        raise TlsError("--tls needs the openssl command") from None
    except subprocess.CalledProcessError as error:
        raise TlsError(error.stderr.decode("utf-8", "replace")) from None


def make_certificates(folder):
    """
    Leaves ca.pem, server.pem and their keys in folder. The authority is that of the folder
    SPEC_CA, where the environment names one that a client had to know before.
    """
    for name, title in (("ca", "Local AWS authority"),
                        ("server", "localhost")):
        with open(os.path.join(folder, name + ".cnf"), "w") as file:
            file.write(CONFIG % title)
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    if os.environ.get("SPEC_CA"):
        for name in ("ca.pem", "ca.key"):
            shutil.copy(os.path.join(os.environ["SPEC_CA"], name), folder)
    else:
        openssl(folder, "req", "-x509", *key, "-days", "30", "-config", "ca.cnf",
                "-extensions", "authority", "-keyout", "ca.key", "-out", "ca.pem")
    openssl(folder, "req", *key, "-config", "server.cnf",
            "-keyout", "server.key", "-out", "server.csr")
    openssl(folder, "x509", "-req", "-in", "server.csr", "-days", "30",
            "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-extfile", "server.cnf", "-extensions", "server",
            "-out", "server.pem")


def server_context(folder):
    """(SSLContext, path of the authority's certificate)."""
    make_certificates(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(os.path.join(folder, "server.pem"),
                            os.path.join(folder, "server.key"))
    context.set_alpn_protocols(["http/1.1"])
    return context, os.path.join(folder, "ca.pem")
