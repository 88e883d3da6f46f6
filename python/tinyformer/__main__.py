# Part of TinyFormer, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`python -m tinyformer` is `tinyformer`."""

from tinyformer.cli import main

if __name__ == "__main__":
    main()
