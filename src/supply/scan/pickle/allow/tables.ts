import type { AllowList } from './allow-list.ts';

/** Frames, series and indices of pandas, joblib's wrapper of arrays, and dill's arrays. */
export const TABLES: AllowList = {
  framework: 'pandas, joblib, dill',
  classes: {
    'joblib.numpy_pickle': 'NumpyArrayWrapper',
    pandas:
      'Categorical CategoricalDtype CategoricalIndex DataFrame DatetimeIndex Index MultiIndex RangeIndex Series StringDtype Timedelta Timestamp',
    'pandas.arrays': 'ArrowStringArray Categorical StringArray',
    'pandas.core.frame': 'DataFrame',
    'pandas.core.series': 'Series',
    'pandas.core.internals.managers': 'BlockManager SingleBlockManager',
    'pandas.core.indexes.base': 'Index',
    'pandas.core.indexes.range': 'RangeIndex',
    'pandas.core.indexes.multi': 'MultiIndex',
    'pandas.core.indexes.datetimes': 'DatetimeIndex',
    'pandas.core.indexes.category': 'CategoricalIndex',
    'pandas.core.arrays.categorical': 'Categorical',
    'pandas.core.arrays.string_': 'StringArray StringDtype',
    'pandas.core.dtypes.dtypes': 'CategoricalDtype',
  },
  functions: {
    'dill._dill': '_create_array',
    'pandas.core.indexes.base': '_new_Index',
    'pandas._libs.internals': '_unpickle_block',
    'pandas._libs.arrays': '__pyx_unpickle_NDArrayBacked',
  },
};
