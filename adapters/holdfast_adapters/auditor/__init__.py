"""The auditor: reads the venue's record and the journal, and believes neither.

It shares no code with the engine that it checks: only the standard library is imported
here, and what a record means is read anew. Bottom up: `report`, `reading`,
`corrections`, `books`, `orders`, `chain`, `audit`.
"""

from .audit import audit, audit_rows
from .reading import happening, record
from .report import AuditReport, Check

__all__ = ["AuditReport", "Check", "audit", "audit_rows", "happening", "record"]
