"""Adapter contract: clauses that any adapter can be checked against."""

from mmbench.adapters.contract.check import ContractViolation as ContractViolation
from mmbench.adapters.contract.check import check_adapter as check_adapter
from mmbench.adapters.contract.check import violations as violations

__all__ = ["ContractViolation", "check_adapter", "violations"]
