"""A CA and what it signs, made by the openssl command in a folder of the test's."""

import subprocess


def _openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


class Certificates:
    """Paths to PEM files: `ca`, and of every name issued NAME.pem and NAME.key."""

    NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.ca = folder / "ca.pem"
        _openssl(folder, "req", "-x509", *self.NEW_KEY, "-subj", f"/CN=CA of {folder.name}", "-days", "2",
                 "-keyout", "ca.key", "-out", "ca.pem")  # fmt: skip

    def issue(self, name, san="DNS:localhost,IP:127.0.0.1"):
        """The settings that hold a new certificate of that name; it replaces an older one."""
        _openssl(self.folder, "req", "-new", *self.NEW_KEY, "-subj", f"/CN={name}", "-addext", f"subjectAltName={san}",
                 "-keyout", f"{name}.key.new", "-out", f"{name}.csr")  # fmt: skip
        _openssl(self.folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                 "-CAcreateserial", "-copy_extensions", "copy", "-days", "2", "-out", f"{name}.pem.new")  # fmt: skip
        for end in ("key", "pem"):
            (self.folder / f"{name}.{end}.new").rename(self.folder / f"{name}.{end}")
        return {"cert": str(self.folder / f"{name}.pem"), "cert_key": str(self.folder / f"{name}.key")}
