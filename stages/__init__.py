"""What happens to a frame, from the file to the results on the disk.

Here lies what the folders share: the batch that flows (``batch``), its pixels (``frames``), boxes
and crops (``geometry``), packaged weights, and the stage that classifies. The folders ``read``,
``faces``, ``people`` and ``write`` do not import each other, and know neither Ray nor
``pipeline``; they may import ``models`` and ``configs``. A test holds this.
"""

import configs  # noqa: F401  Before libraries that read the environment.
