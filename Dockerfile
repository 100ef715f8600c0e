# The command in an image, without TensorFlow:
#     docker build --tag emotion-timelines .
#     docker run --rm --shm-size 1g --user "$(id -u)" --volume "$PWD:/data" emotion-timelines run interview.mp4
# Ray keeps frames in shared memory, of which containers have little by default.
FROM python:3.12-slim

COPY requirements.lock /program/
RUN pip install --no-cache-dir --require-hashes --requirement /program/requirements.lock
COPY . /program
RUN pip install --no-cache-dir --no-deps /program

# Any user may run it; caches go where each of them can write.
ENV HOME=/tmp
RUN useradd --no-create-home analyst && mkdir /data && chown analyst /data
USER analyst
WORKDIR /data
ENTRYPOINT ["emotion-timelines"]
CMD ["--help"]
