"""Writes clean model files of every kind that people exchange into FOLDER: `python clean.py FOLDER [part …]`.

Parts: torch, sklearn, boosting, numpy. Every file is what the framework's own way of saving gives, nothing is edited.
`glacis scan FOLDER` has to call all of them clean.
"""

import gzip
import io
import pathlib
import pickle
import sys
import warnings

import numpy as np

warnings.filterwarnings("ignore")


def torch_part(out):
    import torch
    from torch import nn

    torch.manual_seed(0)
    layers = {
        "linear": nn.Linear(4, 3),
        "bilinear": nn.Bilinear(3, 3, 2),
        "conv1d": nn.Conv1d(2, 3, 3),
        "conv2d": nn.Conv2d(3, 4, 3),
        "conv3d": nn.Conv3d(1, 2, 2),
        "deconv": nn.ConvTranspose2d(2, 3, 3),
        "batchnorm": nn.BatchNorm2d(4),
        "groupnorm": nn.GroupNorm(2, 4),
        "layernorm": nn.LayerNorm(6),
        "instancenorm": nn.InstanceNorm2d(3, affine=True, track_running_stats=True),
        "embedding": nn.Embedding(10, 4),
        "embeddingbag": nn.EmbeddingBag(10, 4),
        "lstm": nn.LSTM(3, 4, 2),
        "gru": nn.GRU(3, 4),
        "rnn": nn.RNN(3, 4),
        "lstmcell": nn.LSTMCell(3, 4),
        "attention": nn.MultiheadAttention(4, 2),
        "encoder": nn.TransformerEncoderLayer(4, 2, 8),
        "decoder": nn.TransformerDecoderLayer(4, 2, 8),
        "transformer": nn.Transformer(4, 2, 1, 1, 8),
        "prelu": nn.PReLU(),
        "rmsnorm": nn.RMSNorm(4),
        "sequential": nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Dropout(), nn.Linear(4, 2)),
        "modulelist": nn.ModuleList([nn.Linear(2, 2), nn.Conv2d(1, 1, 1)]),
        "parameterdict": nn.ParameterDict({"a": nn.Parameter(torch.ones(2)), "b": nn.Parameter(torch.zeros(3))}),
    }
    for name, layer in layers.items():
        torch.save(layer.state_dict(), out / f"{name}.pt")
    for name in ("linear", "conv2d", "lstm", "sequential", "encoder", "batchnorm"):
        torch.save(layers[name].state_dict(), out / f"{name}-legacy.pth", _use_new_zipfile_serialization=False)
        torch.save(layers[name], out / f"{name}-whole.pt")
        with open(out / f"{name}-plain.pkl", "wb") as file:
            pickle.dump(layers[name].state_dict(), file)
    for optimiser in (torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW, torch.optim.RMSprop):
        model = nn.Linear(3, 2)
        optim = optimiser(model.parameters(), lr=0.1)
        model(torch.ones(1, 3)).sum().backward()
        optim.step()
        torch.save(
            {"epoch": 3, "model": model.state_dict(), "optimizer": optim.state_dict(), "loss": 0.5, "rng": torch.get_rng_state()},
            out / f"checkpoint-{optimiser.__name__.lower()}.ckpt",
        )
    kinds = (torch.float16, torch.bfloat16, torch.float64, torch.int8, torch.int64, torch.bool, torch.complex64, torch.uint8, torch.float8_e4m3fn, torch.uint16)
    for kind in kinds:
        torch.save({"x": torch.ones(2, 3).to(kind)}, out / f"dtype-{str(kind).split('.')[1]}.pt")
    base = torch.arange(24.0)
    torch.save({"whole": base, "view": base[4:].view(4, 5), "turned": base.view(4, 6).t(), "none": torch.empty(0, 3), "one": torch.tensor(3.0)}, out / "views.pt")
    torch.save(torch.sparse_coo_tensor([[0, 1], [1, 0]], [1.0, 2.0], (2, 2)), out / "sparse.pt")
    torch.save(torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8), out / "quantised.pt")
    torch.save(torch.Size([1, 2, 3]), out / "size.pt")
    torch.jit.script(layers["sequential"]).save(str(out / "scripted.pt"))
    torch.jit.trace(layers["conv2d"], torch.ones(1, 3, 5, 5)).save(str(out / "traced.pt"))
    np.savez(out / "linear.npz", **{key: value.numpy() for key, value in layers["linear"].state_dict().items()})


def sklearn_part(out):
    import joblib
    from sklearn import (calibration, cluster, compose, decomposition, discriminant_analysis, ensemble, feature_selection,
                         gaussian_process, impute, isotonic, kernel_ridge, linear_model, manifold, mixture, model_selection,
                         multiclass, multioutput, naive_bayes, neighbors, neural_network, pipeline, preprocessing,
                         random_projection, semi_supervised, svm, tree)
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

    rng = np.random.RandomState(0)
    x, y = rng.rand(60, 5), rng.randint(0, 3, 60)
    estimators = [
        linear_model.LogisticRegression(), linear_model.LinearRegression(), linear_model.Ridge(), linear_model.RidgeClassifierCV(),
        linear_model.Lasso(), linear_model.ElasticNetCV(cv=3), linear_model.SGDClassifier(), linear_model.SGDRegressor(),
        linear_model.BayesianRidge(), linear_model.HuberRegressor(), linear_model.Perceptron(), linear_model.PoissonRegressor(),
        linear_model.RANSACRegressor(), linear_model.LogisticRegressionCV(cv=3), linear_model.TheilSenRegressor(),
        svm.SVC(probability=True), svm.LinearSVC(), svm.SVR(), svm.OneClassSVM(), svm.NuSVC(nu=0.1),
        tree.DecisionTreeClassifier(), tree.DecisionTreeRegressor(), tree.ExtraTreeClassifier(),
        ensemble.RandomForestClassifier(5), ensemble.RandomForestRegressor(5), ensemble.ExtraTreesClassifier(5),
        ensemble.GradientBoostingClassifier(n_estimators=3), ensemble.GradientBoostingRegressor(n_estimators=3),
        ensemble.HistGradientBoostingClassifier(max_iter=3), ensemble.HistGradientBoostingRegressor(max_iter=3),
        ensemble.AdaBoostClassifier(n_estimators=3), ensemble.BaggingClassifier(n_estimators=3), ensemble.IsolationForest(n_estimators=3),
        ensemble.VotingClassifier([("a", tree.DecisionTreeClassifier()), ("b", naive_bayes.GaussianNB())]),
        ensemble.StackingClassifier([("a", tree.DecisionTreeClassifier())], cv=3),
        neighbors.KNeighborsClassifier(), neighbors.KNeighborsRegressor(algorithm="ball_tree"), neighbors.NearestCentroid(),
        neighbors.LocalOutlierFactor(novelty=True), neighbors.KernelDensity(), neighbors.RadiusNeighborsClassifier(5.0, algorithm="kd_tree"),
        naive_bayes.GaussianNB(), naive_bayes.MultinomialNB(), naive_bayes.BernoulliNB(), naive_bayes.ComplementNB(),
        neural_network.MLPClassifier((4,), max_iter=5), neural_network.MLPRegressor(hidden_layer_sizes=(4,), max_iter=5), neural_network.BernoulliRBM(2, n_iter=2),
        discriminant_analysis.LinearDiscriminantAnalysis(), discriminant_analysis.QuadraticDiscriminantAnalysis(),
        gaussian_process.GaussianProcessClassifier(), gaussian_process.GaussianProcessRegressor(),
        cluster.KMeans(3, n_init=1), cluster.MiniBatchKMeans(3, n_init=1), cluster.DBSCAN(), cluster.AgglomerativeClustering(), cluster.Birch(),
        cluster.MeanShift(), cluster.OPTICS(), cluster.AffinityPropagation(), cluster.SpectralClustering(3), cluster.HDBSCAN(copy=True),
        mixture.GaussianMixture(2), mixture.BayesianGaussianMixture(n_components=2),
        decomposition.PCA(2), decomposition.TruncatedSVD(2), decomposition.NMF(2), decomposition.FastICA(2), decomposition.KernelPCA(2),
        decomposition.LatentDirichletAllocation(2, max_iter=2), decomposition.DictionaryLearning(2, max_iter=2), decomposition.IncrementalPCA(2),
        preprocessing.StandardScaler(), preprocessing.MinMaxScaler(), preprocessing.RobustScaler(), preprocessing.PowerTransformer(),
        preprocessing.QuantileTransformer(n_quantiles=10), preprocessing.PolynomialFeatures(), preprocessing.KBinsDiscretizer(3),
        preprocessing.OneHotEncoder(handle_unknown="ignore"), preprocessing.OrdinalEncoder(), preprocessing.Normalizer(), preprocessing.SplineTransformer(),
        impute.SimpleImputer(), impute.KNNImputer(), feature_selection.SelectKBest(k=2), feature_selection.VarianceThreshold(),
        feature_selection.RFE(linear_model.Ridge()), feature_selection.SelectFromModel(linear_model.Lasso(0.001)),
        manifold.Isomap(n_components=2), manifold.TSNE(perplexity=5), manifold.LocallyLinearEmbedding(),
        kernel_ridge.KernelRidge(), random_projection.GaussianRandomProjection(2), semi_supervised.LabelPropagation(),
        calibration.CalibratedClassifierCV(naive_bayes.GaussianNB(), cv=3), multiclass.OneVsRestClassifier(svm.LinearSVC()),
        pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression()),
        pipeline.make_union(decomposition.PCA(2), preprocessing.MinMaxScaler()),
        compose.ColumnTransformer([("a", preprocessing.StandardScaler(), [0, 1])], remainder="passthrough"),
        model_selection.GridSearchCV(tree.DecisionTreeClassifier(), {"max_depth": [1, 2]}, cv=3, scoring="accuracy"),
        model_selection.RandomizedSearchCV(svm.SVC(), {"C": [1, 2, 3]}, n_iter=2, cv=3),
    ]
    for estimator in estimators:
        name = type(estimator).__name__
        estimator.fit(x, y)
        joblib.dump(estimator, out / f"{name}.joblib")
        with open(out / f"{name}.pkl", "wb") as file:
            pickle.dump(estimator, file, protocol=(2, 3, 4, 5)[len(name) % 4])
    more = {
        "isotonic": isotonic.IsotonicRegression().fit(x[:, 0], y),
        "multioutput": multioutput.MultiOutputRegressor(linear_model.Ridge()).fit(x, np.stack([y, y], 1)),
        "labelencoder": preprocessing.LabelEncoder().fit(["a", "b"]),
        "multilabel": preprocessing.MultiLabelBinarizer().fit([["a"], ["b", "c"]]),
        "countvectorizer": CountVectorizer().fit(["one two", "two three"]),
        "tfidf": TfidfVectorizer().fit(["one two", "two three"]),
    }
    for name, estimator in more.items():
        joblib.dump(estimator, out / f"{name}.joblib")
    forest = ensemble.RandomForestClassifier(5).fit(x, y)
    for compress in ("zlib", "gzip", "bz2", "xz"):
        joblib.dump(forest, out / f"forest-{compress}.joblib", compress=(compress, 3))
    joblib.dump({"names": np.array(["a", "b"], dtype=object), "x": x, "y": y}, out / "objects.joblib")


def boosting_part(out):
    import joblib
    import lightgbm
    import xgboost

    rng = np.random.RandomState(0)
    x, y = rng.rand(80, 4), rng.randint(0, 2, 80)
    for model in (xgboost.XGBClassifier(n_estimators=3), xgboost.XGBRegressor(n_estimators=3), xgboost.XGBRFClassifier(n_estimators=3),
                  lightgbm.LGBMClassifier(n_estimators=3, verbose=-1), lightgbm.LGBMRegressor(n_estimators=3, verbose=-1)):
        name = type(model).__name__
        model.fit(x, y)
        joblib.dump(model, out / f"{name}.joblib")
        (out / f"{name}.pkl").write_bytes(pickle.dumps(model))
    booster = xgboost.train({"max_depth": 2}, xgboost.DMatrix(x, y), 3)
    (out / "booster.pkl").write_bytes(pickle.dumps(booster))
    booster.save_model(out / "booster.json")
    lgb = lightgbm.train({"verbose": -1}, lightgbm.Dataset(x, y), 3)
    (out / "lightgbm.pkl").write_bytes(pickle.dumps(lgb))
    lgb.save_model(out / "lightgbm.txt")


def numpy_part(out):
    import dill
    import pandas
    import scipy.sparse

    arrays = {
        "float32": np.ones((3, 4), np.float32), "int64": np.arange(5), "bool": np.array([True, False]), "complex": np.ones(2, complex),
        "text": np.array(["ab", "c"]), "bytes": np.array([b"ab"]), "dates": np.array(["2026-01-01"], "datetime64[D]"),
        "records": np.zeros(2, [("a", "f4"), ("b", "i8", (2,))]), "fortran": np.asfortranarray(np.ones((2, 3))), "scalar": np.float64(1.5),
        "empty": np.zeros((0, 3)), "half": np.ones(3, np.float16),
    }
    for name, array in arrays.items():
        np.save(out / f"{name}.npy", array)
        (out / f"{name}.pkl").write_bytes(pickle.dumps(array, protocol=(0, 2, 4, 5)[len(name) % 4]))
    np.savez(out / "plain.npz", **arrays)
    np.savez_compressed(out / "packed.npz", **arrays)
    np.save(out / "objects.npy", np.array([{"a": 1}, [1, 2], "x", np.ones(2)], dtype=object), allow_pickle=True)
    np.savez(out / "objects.npz", x=np.array([None, {"a": 1}], dtype=object))
    things = {
        "random": np.random.RandomState(1), "generator": np.random.default_rng(1), "masked": np.ma.masked_array([1, 2], [0, 1]),
        "sparse": scipy.sparse.csr_matrix(np.eye(3)), "nested": {"a": [1, (2.5, None)], "b": {"c": b"x" * 300, "d": {1, 2}, "e": frozenset([3])}},
        "frame": pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]}), "series": pandas.Series([1.0, 2.0], name="s"),
    }
    for name, thing in things.items():
        for protocol in (2, 4, 5):
            (out / f"{name}-{protocol}.pkl").write_bytes(pickle.dumps(thing, protocol=protocol))
    (out / "dict-dill.pkl").write_bytes(dill.dumps({"w": np.ones(3), "n": 2}))
    with gzip.open(out / "nested.pkl.gz", "wb") as file:
        pickle.dump(things["nested"], file)
    several = io.BytesIO()
    for thing in things["nested"], arrays["int64"], 3:
        pickle.dump(thing, several)
    (out / "several.pkl").write_bytes(several.getvalue())


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    for part in sys.argv[2:] or ("torch", "sklearn", "boosting", "numpy"):
        (folder / part).mkdir(parents=True, exist_ok=True)
        globals()[f"{part}_part"](folder / part)
