import type { AllowList } from './allow-list.ts';

const RECONSTRUCT = '_reconstruct scalar';
const SCALARS =
  'bool bool_ byte bytes_ cdouble clongdouble complex128 complex64 csingle datetime64 double float16 float32 float64 half int16 int32 int64 int8 int_ intc intp long longdouble longlong object_ short single str_ timedelta64 ubyte uint uint16 uint32 uint64 uint8 uintc uintp ulong ulonglong ushort void';

/** Arrays, scalars and random generators of NumPy 1 and 2, and SciPy's sparse matrices. */
export const NUMPY: AllowList = {
  framework: 'NumPy',
  classes: {
    numpy: `dtype ndarray matrix recarray record ${SCALARS}`,
    'numpy.dtypes':
      'BoolDType ByteDType BytesDType CLongDoubleDType Complex128DType Complex64DType DateTime64DType Float16DType Float32DType Float64DType Int16DType Int32DType Int64DType Int8DType IntDType LongDType LongDoubleDType LongLongDType ObjectDType ShortDType StrDType StringDType TimeDelta64DType UByteDType UInt16DType UInt32DType UInt64DType UInt8DType UIntDType ULongDType ULongLongDType UShortDType VoidDType',
    'numpy.ma': 'MaskedArray',
    'numpy.ma.core': 'MaskedArray MaskedConstant',
    'numpy.matrixlib.defmatrix': 'matrix',
    'numpy.rec': 'recarray record',
    'numpy.random._bit_generator': 'SeedSequence',
    'numpy.random.bit_generator': 'SeedSequence',
    'numpy.random._mt19937': 'MT19937',
    'numpy.random._pcg64': 'PCG64 PCG64DXSM',
    'numpy.random._philox': 'Philox',
    'numpy.random._sfc64': 'SFC64',
    'numpy.polynomial.polynomial': 'Polynomial',
    'numpy.polynomial.chebyshev': 'Chebyshev',
    'numpy.polynomial.legendre': 'Legendre',
    'scipy.sparse._bsr': 'bsr_array bsr_matrix',
    'scipy.sparse._coo': 'coo_array coo_matrix',
    'scipy.sparse._csc': 'csc_array csc_matrix',
    'scipy.sparse._csr': 'csr_array csr_matrix',
    'scipy.sparse._dia': 'dia_array dia_matrix',
    'scipy.sparse.csc': 'csc_matrix',
    'scipy.sparse.csr': 'csr_matrix',
    'scipy.sparse.coo': 'coo_matrix',
    'scipy.interpolate._interpolate': 'interp1d',
    'scipy.interpolate._bsplines': 'BSpline',
  },
  mappings: { 'scipy.sparse._dok': 'dok_array dok_matrix' },
  functions: {
    'scipy._lib.array_api_compat.numpy._aliases': 'asarray',
    'numpy._core.multiarray': RECONSTRUCT,
    'numpy.core.multiarray': RECONSTRUCT,
    'numpy._core.numeric': '_frombuffer',
    'numpy.core.numeric': '_frombuffer',
    'numpy.ma.core': '_mareconstruct',
    'numpy.random._pickle': '__bit_generator_ctor __generator_ctor __randomstate_ctor',
    'numpy.random': '__RandomState_ctor',
    'numpy.random.mtrand': '__RandomState_ctor',
    'numpy.random.bit_generator': '__pyx_unpickle_SeedSequence',
    'numpy.random._bit_generator': '__pyx_unpickle_SeedSequence',
  },
};
