import type { AllowList } from './allow-list.ts';

/** Frames, series and indices of pandas, and joblib's wrapper of arrays. */
export const TABLES: AllowList = {
  framework: 'pandas, joblib',
  classes: {
    'joblib.numpy_pickle': 'NumpyArrayWrapper',
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
    'pandas.core.indexes.base': '_new_Index',
    'pandas._libs.internals': '_unpickle_block',
    'pandas._libs.arrays': '__pyx_unpickle_NDArrayBacked',
  },
};
