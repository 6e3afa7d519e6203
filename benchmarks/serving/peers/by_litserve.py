"""LitServe around the model: setup, predict. `python by_litserve.py PORT`"""

import sys

import litserve


class Api(litserve.LitAPI):
    def setup(self, device):  # noqa: ARG002 - LitServe calls it so
        from loaded import load

        self.answer = load()

    def predict(self, body):
        split = body["dataframe_split"]
        return {"predictions": self.answer(split["columns"], split["data"])}


if __name__ == "__main__":
    server = litserve.LitServer(Api(api_path="/invocations"), accelerator="cpu", workers_per_device=1)
    quiet = {"access_log": False, "log_level": "warning", "generate_client_file": False}
    server.run(host="127.0.0.1", port=int(sys.argv[1]), num_api_servers=1, **quiet)
