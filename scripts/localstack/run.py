# LocalStack, ended with the process that started it: that one's end of the pipe closes however it dies.
import os
import runpy
import signal
import sys
import threading


def end_with_parent():
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


threading.Thread(target=end_with_parent, daemon=True).start()
runpy.run_module("localstack.runtime.main", run_name="__main__")
