"""The kernelspecs that jupyter_client finds, which is imported when one is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def manager() -> Any:
    """jupyter_client's kernelspecs; without an import of IPython for one that stands in its place."""
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_core.paths import jupyter_path

    class Specs(KernelSpecManager):
        def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
            for folder in jupyter_path("kernels"):
                if Path(folder, kernel_name, "kernel.json").is_file():
                    spec = KernelSpec.from_resource_dir(str(Path(folder, kernel_name)))
                    if "kernel_provisioner" not in spec.metadata:
                        return spec
                    break
            return super().get_kernel_spec(kernel_name)

    return Specs()


def known() -> str:
    """The kernels that there are, in words."""
    from jupyter_client.kernelspec import KernelSpecManager

    names = sorted(KernelSpecManager().find_kernel_specs())
    return f"known kernels: {', '.join(names) or 'none'}; choose one with --kernel NAME"
