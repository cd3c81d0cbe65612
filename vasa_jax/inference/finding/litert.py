"""Runs the small vendored face networks (`assets/*.tflite`) on the CPU.

One interpreter a thread and file: LiteRT interpreters keep their tensors inside and
must not be shared between threads.
"""

import contextlib
import os
import sys
import threading
from pathlib import Path

import numpy as np

ASSETS = Path(__file__).parents[1] / 'assets'
_local = threading.local()


def run(name: str, picture: np.ndarray) -> list[np.ndarray]:
  """Returns the outputs of a network for one input.

  Args:
    name: file name in `assets`, without `.tflite`.
    picture: `(h, w, 3)` float32, in the size and range that the network asks for.

  Returns:
    The network's outputs in its own order, float32, with their batch axis.
  """
  interpreter = _interpreter(name)
  entry = interpreter.get_input_details()[0]
  interpreter.set_tensor(entry['index'], np.asarray(picture[None], np.float32))
  interpreter.invoke()
  return [interpreter.get_tensor(d['index']) for d in interpreter.get_output_details()]


def _interpreter(name: str):
  """Returns this thread's interpreter of a network, made at first use."""
  pool = _local.__dict__.setdefault('pool', {})
  if name not in pool:
    with _silent_stderr():
      from ai_edge_litert.interpreter import Interpreter

      pool[name] = Interpreter(model_path=str(ASSETS / f'{name}.tflite'), num_threads=1)
      pool[name].allocate_tensors()
  return pool[name]


@contextlib.contextmanager
def _silent_stderr():
  """Hides what LiteRT's C++ prints at start ("Created TensorFlow Lite XNNPACK ...")."""
  sys.stderr.flush()
  kept = os.dup(2)
  hole = os.open(os.devnull, os.O_WRONLY)
  try:
    os.dup2(hole, 2)
    yield
  finally:
    os.dup2(kept, 2)
    os.close(kept)
    os.close(hole)
