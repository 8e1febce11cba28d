"""NumPy files of every kind that is read, in npy.json: {file (base64), shape, data}."""

import base64
import io
import json
import pathlib

import numpy as np

ROWS = [[1, -2, 3], [-4, 5, 6]]
ARRAYS = {
    "float32": np.array(ROWS, "<f4") / 4,
    "float64": np.array(ROWS, "<f8") / 3,
    "int32": np.array(ROWS, "<i4"),
    "int64": np.array(ROWS, "<i8"),
    "bool": np.array([True, False, True]),
    "scalar": np.array(2.5),
    "empty": np.zeros((2, 0), "<f4"),
    "big-endian float64": np.array(ROWS, ">f8"),
    "big-endian int64": np.array(ROWS, ">i8"),
    "columns": np.asfortranarray(np.arange(12, dtype="<f4").reshape(2, 3, 2)),
    "columns of int32": np.asfortranarray(np.array(ROWS, "<i4")),
}


def saved(array, version=(1, 0)):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, version=version)
    data = [float(x) for x in array.reshape(-1)]
    return {"file": base64.b64encode(buffer.getvalue()).decode(), "shape": array.shape, "data": data}


cases = {name: saved(array) for name, array in ARRAYS.items()}
cases["format 2.0"] = saved(ARRAYS["int32"], (2, 0))
cases["format 3.0"] = saved(ARRAYS["float64"], (3, 0))
lines = [f"{json.dumps(name)}: {json.dumps(case)}" for name, case in cases.items()]
pathlib.Path(__file__).with_name("npy.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
