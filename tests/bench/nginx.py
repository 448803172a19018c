"""nginx (Debian's nginx-light) as a bench starts it: in the foreground, one worker, all of its files in the bench's folder."""

import pathlib
import resource
import socket
import sys

from bench import Process

CONFIGURATION = """
daemon off;
user root;
worker_processes 1;
worker_rlimit_nofile {descriptors};
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{ worker_connections 20000; }}
http {{
  access_log off;
  client_max_body_size 64m;
  client_body_buffer_size 128k;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 100000000;
{servers}}}
"""


def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


class Nginx(Process):
    """`pid` is its worker's: CPU and memory are looked at there."""

    def __init__(self, folder, servers):
        configuration = pathlib.Path(folder, "nginx.conf")
        descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        configuration.write_text(CONFIGURATION.format(folder=folder, descriptors=descriptors, servers=servers))
        super().__init__(folder, "nginx", "-c", configuration, "-e", f"{folder}/nginx-error.log")
        children = pathlib.Path(f"/proc/{self.child.pid}/task/{self.child.pid}/children")
        while not (workers := children.read_text().split()):
            if self.child.poll() is not None:
                sys.exit(f"bench: nginx ended; see {self.log.name}")
        self.pid = int(workers[0])
