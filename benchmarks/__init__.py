"""How long torchlite takes, beside its peers: `python benchmarks/run.py`; see README.md."""
