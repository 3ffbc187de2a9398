"""The clinic's own rules: what they may say (`types/`, one small file each), how a document of them is read and checked
(`document.py`), which of them are in force for a visit (`policy.py`), and what they say of it (`program.py`). Pure.
"""
