"""BentoML around the model: a service with one API. `bentoml serve by_bentoml:Model`"""

import bentoml


@bentoml.service(workers=1)
class Model:
    def __init__(self) -> None:
        from loaded import load

        self.answer = load()

    @bentoml.api(route="/invocations")
    def predict(self, dataframe_split: dict) -> dict:
        return {"predictions": self.answer(dataframe_split["columns"], dataframe_split["data"])}
