import type { AllowList } from './allow-list.ts';

const TYPES = 'BFloat16 Bool Byte Char ComplexDouble ComplexFloat Double Float Half Int Long Short';
const named = (ending: string) =>
  TYPES.split(' ')
    .map((type) => `${type}${ending}`)
    .join(' ');
const QUANTISED = 'QInt32Storage QInt8Storage QUInt2x4Storage QUInt4x2Storage QUInt8Storage';

/**
 * Tensors, storages and optimiser states of PyTorch: what `torch.load(weights_only=True)` of 2.15 allows by default, with
 * quantised, sparse and device tensors, and `_load_from_bytes`, whose bytes are scanned as a checkpoint of their own.
 * Source: torch/_weights_only_unpickler.py.
 */
export const TORCH: AllowList = {
  framework: 'PyTorch',
  classes: {
    torch: `Size Tensor device Generator ${named('Storage')} ${named('Tensor')} ${QUANTISED} UntypedStorage`,
    'torch.cuda': `${named('Storage')} ${named('Tensor')}`,
    'torch.sparse': named('Tensor'),
    'torch.cuda.sparse': named('Tensor'),
    'torch.storage': 'TypedStorage UntypedStorage _UntypedStorage',
    'torch.nn.parameter': 'Buffer Parameter',
  },
  functions: {
    'torch._utils':
      '_rebuild_device_tensor_from_cpu_tensor _rebuild_device_tensor_from_numpy _rebuild_meta_tensor_no_storage _rebuild_parameter _rebuild_parameter_with_state _rebuild_qtensor _rebuild_sparse_csr_tensor _rebuild_sparse_tensor _rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3 _rebuild_wrapper_subclass',
    'torch._tensor': '_rebuild_from_type_v2',
    'torch.serialization': '_get_layout',
    'torch.storage': '_load_from_bytes',
  },
  values: {
    torch:
      'bcomplex32 bfloat16 bits16 bits1x8 bits2x4 bits4x2 bits8 bool complex128 complex32 complex64 channels_last contiguous_format float16 float32 float4_e2m1fn_x2 float64 float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz float8_e8m0fnu int1 int16 int2 int3 int32 int4 int5 int6 int64 int7 int8 per_channel_affine per_channel_affine_float_qparams per_channel_symmetric per_tensor_affine per_tensor_symmetric preserve_format qint32 qint8 quint2x4 quint4x2 quint8 sparse_coo strided uint1 uint16 uint2 uint3 uint32 uint4 uint5 uint6 uint64 uint7 uint8',
  },
};
