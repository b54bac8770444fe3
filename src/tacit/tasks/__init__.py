"""What a network answers: one task a file or folder, behind the protocol in `task.py`."""
