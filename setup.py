"""What setup.cfg cannot say: every build starts from nothing."""

import shutil

from setuptools import setup
from setuptools.command.build_py import build_py


class FreshBuild(build_py):
    """Copies the package without what an earlier build left behind.

    A wheel holds whatever lies in build/lib: modules that were deleted since then, too.
    """

    def run(self):
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


setup(cmdclass={"build_py": FreshBuild})
