"""What madoguchi knows: dated parameters, decision tables, guides, and the index over documents."""

import os

# onnxruntime reports its use to its maker unless it is told not to before it is imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
