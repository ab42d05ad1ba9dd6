# LocalStack, ended with the process that started it: that one's end of the pipe closes however it dies.
import os
import runpy
import signal
import sys
import threading
import time

import psutil

STOP_WITHIN_S = 10


def end_with_parent():
    sys.stdin.buffer.read()
    # Its servers stand in process groups of their own, and its own stop hangs where nobody reads its output any more.
    servers = psutil.Process().children(recursive=True)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(STOP_WITHIN_S)
    for server in servers:
        try:
            server.kill()
        except psutil.NoSuchProcess:
            pass
    os._exit(1)


threading.Thread(target=end_with_parent, daemon=True).start()
runpy.run_module("localstack.runtime.main", run_name="__main__")
