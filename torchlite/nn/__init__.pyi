# Written by docs/make_layers.py.
from torchlite.nn import graph as graph
from torchlite.nn import hessian as hessian
from torchlite.nn import init as init
from torchlite.nn import recurrent as recurrent
from torchlite.nn import tables as tables
from torchlite.nn import utils as utils
from torchlite.nn.container import Container as Container
from torchlite.nn.containers.bottle import Bottle as Bottle
from torchlite.nn.containers.concat import Concat as Concat
from torchlite.nn.containers.concat_table import ConcatTable as ConcatTable
from torchlite.nn.containers.decorator import Decorator as Decorator
from torchlite.nn.containers.depth_concat import DepthConcat as DepthConcat
from torchlite.nn.containers.dont_cast import DontCast as DontCast
from torchlite.nn.containers.gpu import GPU as GPU
from torchlite.nn.containers.map_table import MapTable as MapTable
from torchlite.nn.containers.nan import NaN as NaN
from torchlite.nn.containers.parallel import Parallel as Parallel
from torchlite.nn.containers.parallel_table import ParallelTable as ParallelTable
from torchlite.nn.containers.profile import Profile as Profile
from torchlite.nn.containers.sequential import Sequential as Sequential
from torchlite.nn.containers.weight_norm import WeightNorm as WeightNorm
from torchlite.nn.convolution.spatial_convolution import SpatialConvolution as SpatialConvolution
from torchlite.nn.convolution.spatial_convolution_local import (
    SpatialConvolutionLocal as SpatialConvolutionLocal,
)
from torchlite.nn.convolution.spatial_convolution_map import (
    SpatialConvolutionMap as SpatialConvolutionMap,
)
from torchlite.nn.convolution.spatial_convolution_mm import (
    SpatialConvolutionMM as SpatialConvolutionMM,
)
from torchlite.nn.convolution.spatial_depth_wise_convolution import (
    SpatialDepthWiseConvolution as SpatialDepthWiseConvolution,
)
from torchlite.nn.convolution.spatial_dilated_convolution import (
    SpatialDilatedConvolution as SpatialDilatedConvolution,
)
from torchlite.nn.convolution.spatial_full_convolution import (
    SpatialFullConvolution as SpatialFullConvolution,
)
from torchlite.nn.convolution.spatial_full_convolution_map import (
    SpatialFullConvolutionMap as SpatialFullConvolutionMap,
)
from torchlite.nn.convolution.spatial_sub_sampling import SpatialSubSampling as SpatialSubSampling
from torchlite.nn.convolution.temporal_convolution import TemporalConvolution as TemporalConvolution
from torchlite.nn.convolution.temporal_row_convolution import (
    TemporalRowConvolution as TemporalRowConvolution,
)
from torchlite.nn.convolution.temporal_sub_sampling import (
    TemporalSubSampling as TemporalSubSampling,
)
from torchlite.nn.convolution.volumetric_convolution import (
    VolumetricConvolution as VolumetricConvolution,
)
from torchlite.nn.convolution.volumetric_dilated_convolution import (
    VolumetricDilatedConvolution as VolumetricDilatedConvolution,
)
from torchlite.nn.convolution.volumetric_full_convolution import (
    VolumetricFullConvolution as VolumetricFullConvolution,
)
from torchlite.nn.criterion import Criterion as Criterion
from torchlite.nn.criterions.abs_criterion import AbsCriterion as AbsCriterion
from torchlite.nn.criterions.bce_criterion import BCECriterion as BCECriterion
from torchlite.nn.criterions.class_nll_criterion import ClassNLLCriterion as ClassNLLCriterion
from torchlite.nn.criterions.class_simplex_criterion import (
    ClassSimplexCriterion as ClassSimplexCriterion,
)
from torchlite.nn.criterions.cosine_embedding_criterion import (
    CosineEmbeddingCriterion as CosineEmbeddingCriterion,
)
from torchlite.nn.criterions.cross_entropy_criterion import (
    CrossEntropyCriterion as CrossEntropyCriterion,
)
from torchlite.nn.criterions.dist_kl_div_criterion import DistKLDivCriterion as DistKLDivCriterion
from torchlite.nn.criterions.distance_ratio_criterion import (
    DistanceRatioCriterion as DistanceRatioCriterion,
)
from torchlite.nn.criterions.hinge_embedding_criterion import (
    HingeEmbeddingCriterion as HingeEmbeddingCriterion,
)
from torchlite.nn.criterions.l1_cost import L1Cost as L1Cost
from torchlite.nn.criterions.l1_hinge_embedding_criterion import (
    L1HingeEmbeddingCriterion as L1HingeEmbeddingCriterion,
)
from torchlite.nn.criterions.margin_criterion import MarginCriterion as MarginCriterion
from torchlite.nn.criterions.margin_ranking_criterion import (
    MarginRankingCriterion as MarginRankingCriterion,
)
from torchlite.nn.criterions.module_criterion import ModuleCriterion as ModuleCriterion
from torchlite.nn.criterions.mse_criterion import MSECriterion as MSECriterion
from torchlite.nn.criterions.multi_criterion import MultiCriterion as MultiCriterion
from torchlite.nn.criterions.multi_label_margin_criterion import (
    MultiLabelMarginCriterion as MultiLabelMarginCriterion,
)
from torchlite.nn.criterions.multi_label_soft_margin_criterion import (
    MultiLabelSoftMarginCriterion as MultiLabelSoftMarginCriterion,
)
from torchlite.nn.criterions.multi_margin_criterion import (
    MultiMarginCriterion as MultiMarginCriterion,
)
from torchlite.nn.criterions.parallel_criterion import ParallelCriterion as ParallelCriterion
from torchlite.nn.criterions.smooth_l1_criterion import SmoothL1Criterion as SmoothL1Criterion
from torchlite.nn.criterions.soft_margin_criterion import SoftMarginCriterion as SoftMarginCriterion
from torchlite.nn.criterions.spatial_auto_crop_mse_criterion import (
    SpatialAutoCropMSECriterion as SpatialAutoCropMSECriterion,
)
from torchlite.nn.criterions.spatial_class_nll_criterion import (
    SpatialClassNLLCriterion as SpatialClassNLLCriterion,
)
from torchlite.nn.criterions.weighted_mse_criterion import (
    WeightedMSECriterion as WeightedMSECriterion,
)
from torchlite.nn.dpnn.arg_max import ArgMax as ArgMax
from torchlite.nn.dpnn.binary_class_reward import BinaryClassReward as BinaryClassReward
from torchlite.nn.dpnn.binary_logistic_regression import (
    BinaryLogisticRegression as BinaryLogisticRegression,
)
from torchlite.nn.dpnn.categorical_entropy import CategoricalEntropy as CategoricalEntropy
from torchlite.nn.dpnn.clip import Clip as Clip
from torchlite.nn.dpnn.fire_module import FireModule as FireModule
from torchlite.nn.dpnn.inception import Inception as Inception
from torchlite.nn.dpnn.linear_no_bias import LinearNoBias as LinearNoBias
from torchlite.nn.dpnn.nce_criterion import NCECriterion as NCECriterion
from torchlite.nn.dpnn.nce_module import NCEModule as NCEModule
from torchlite.nn.dpnn.reinforce_bernoulli import ReinforceBernoulli as ReinforceBernoulli
from torchlite.nn.dpnn.reinforce_categorical import ReinforceCategorical as ReinforceCategorical
from torchlite.nn.dpnn.reinforce_gamma import ReinforceGamma as ReinforceGamma
from torchlite.nn.dpnn.reinforce_normal import ReinforceNormal as ReinforceNormal
from torchlite.nn.dpnn.reverse_table import ReverseTable as ReverseTable
from torchlite.nn.dpnn.soft_max_tree import SoftMaxTree as SoftMaxTree
from torchlite.nn.dpnn.spatial_binary_logistic_regression import (
    SpatialBinaryLogisticRegression as SpatialBinaryLogisticRegression,
)
from torchlite.nn.dpnn.spatial_feat_normalization import (
    SpatialFeatNormalization as SpatialFeatNormalization,
)
from torchlite.nn.dpnn.spatial_glimpse import SpatialGlimpse as SpatialGlimpse
from torchlite.nn.dpnn.spatial_region_dropout import SpatialRegionDropout as SpatialRegionDropout
from torchlite.nn.dpnn.total_dropout import TotalDropout as TotalDropout
from torchlite.nn.dpnn.tree_nll_criterion import TreeNLLCriterion as TreeNLLCriterion
from torchlite.nn.dpnn.vr_class_reward import VRClassReward as VRClassReward
from torchlite.nn.graph.g_module import gModule as gModule
from torchlite.nn.graph.just_element import JustElement as JustElement
from torchlite.nn.graph.just_table import JustTable as JustTable
from torchlite.nn.graph.module_from_criterion import ModuleFromCriterion as ModuleFromCriterion
from torchlite.nn.module import Module as Module
from torchlite.nn.normalization.batch_normalization import BatchNormalization as BatchNormalization
from torchlite.nn.normalization.layer_normalization import LayerNormalization as LayerNormalization
from torchlite.nn.normalization.spatial_batch_normalization import (
    SpatialBatchNormalization as SpatialBatchNormalization,
)
from torchlite.nn.normalization.spatial_contrastive_normalization import (
    SpatialContrastiveNormalization as SpatialContrastiveNormalization,
)
from torchlite.nn.normalization.spatial_cross_map_lrn import (
    SpatialCrossMapLRN as SpatialCrossMapLRN,
)
from torchlite.nn.normalization.spatial_divisive_normalization import (
    SpatialDivisiveNormalization as SpatialDivisiveNormalization,
)
from torchlite.nn.normalization.spatial_subtractive_normalization import (
    SpatialSubtractiveNormalization as SpatialSubtractiveNormalization,
)
from torchlite.nn.normalization.volumetric_batch_normalization import (
    VolumetricBatchNormalization as VolumetricBatchNormalization,
)
from torchlite.nn.pooling.feature_lp_pooling import FeatureLPPooling as FeatureLPPooling
from torchlite.nn.pooling.spatial_adaptive_average_pooling import (
    SpatialAdaptiveAveragePooling as SpatialAdaptiveAveragePooling,
)
from torchlite.nn.pooling.spatial_adaptive_max_pooling import (
    SpatialAdaptiveMaxPooling as SpatialAdaptiveMaxPooling,
)
from torchlite.nn.pooling.spatial_average_pooling import (
    SpatialAveragePooling as SpatialAveragePooling,
)
from torchlite.nn.pooling.spatial_dilated_max_pooling import (
    SpatialDilatedMaxPooling as SpatialDilatedMaxPooling,
)
from torchlite.nn.pooling.spatial_fractional_max_pooling import (
    SpatialFractionalMaxPooling as SpatialFractionalMaxPooling,
)
from torchlite.nn.pooling.spatial_lp_pooling import SpatialLPPooling as SpatialLPPooling
from torchlite.nn.pooling.spatial_max_pooling import SpatialMaxPooling as SpatialMaxPooling
from torchlite.nn.pooling.spatial_max_unpooling import SpatialMaxUnpooling as SpatialMaxUnpooling
from torchlite.nn.pooling.temporal_dynamic_k_max_pooling import (
    TemporalDynamicKMaxPooling as TemporalDynamicKMaxPooling,
)
from torchlite.nn.pooling.temporal_max_pooling import TemporalMaxPooling as TemporalMaxPooling
from torchlite.nn.pooling.volumetric_average_pooling import (
    VolumetricAveragePooling as VolumetricAveragePooling,
)
from torchlite.nn.pooling.volumetric_dilated_max_pooling import (
    VolumetricDilatedMaxPooling as VolumetricDilatedMaxPooling,
)
from torchlite.nn.pooling.volumetric_fractional_max_pooling import (
    VolumetricFractionalMaxPooling as VolumetricFractionalMaxPooling,
)
from torchlite.nn.pooling.volumetric_max_pooling import VolumetricMaxPooling as VolumetricMaxPooling
from torchlite.nn.pooling.volumetric_max_unpooling import (
    VolumetricMaxUnpooling as VolumetricMaxUnpooling,
)
from torchlite.nn.recurrent.bi_sequencer import BiSequencer as BiSequencer
from torchlite.nn.recurrent.bi_sequencer_lm import BiSequencerLM as BiSequencerLM
from torchlite.nn.recurrent.copy_grad import CopyGrad as CopyGrad
from torchlite.nn.recurrent.fast_lstm import FastLSTM as FastLSTM
from torchlite.nn.recurrent.gru import GRU as GRU
from torchlite.nn.recurrent.linear_rnn import LinearRNN as LinearRNN
from torchlite.nn.recurrent.lookup_rnn import LookupRNN as LookupRNN
from torchlite.nn.recurrent.lookup_table_mask_zero import LookupTableMaskZero as LookupTableMaskZero
from torchlite.nn.recurrent.lstm import LSTM as LSTM
from torchlite.nn.recurrent.mask_zero import MaskZero as MaskZero
from torchlite.nn.recurrent.mask_zero_criterion import MaskZeroCriterion as MaskZeroCriterion
from torchlite.nn.recurrent.mu_fu_ru import MuFuRu as MuFuRu
from torchlite.nn.recurrent.norm_stabilizer import NormStabilizer as NormStabilizer
from torchlite.nn.recurrent.rec_gru import RecGRU as RecGRU
from torchlite.nn.recurrent.rec_lstm import RecLSTM as RecLSTM
from torchlite.nn.recurrent.recurrence import Recurrence as Recurrence
from torchlite.nn.recurrent.recurrent import Recurrent as Recurrent
from torchlite.nn.recurrent.recurrent_attention import RecurrentAttention as RecurrentAttention
from torchlite.nn.recurrent.recursor import Recursor as Recursor
from torchlite.nn.recurrent.repeater import Repeater as Repeater
from torchlite.nn.recurrent.repeater_criterion import RepeaterCriterion as RepeaterCriterion
from torchlite.nn.recurrent.reverse_sequence import ReverseSequence as ReverseSequence
from torchlite.nn.recurrent.reverse_unreverse import ReverseUnreverse as ReverseUnreverse
from torchlite.nn.recurrent.seq_bgru import SeqBGRU as SeqBGRU
from torchlite.nn.recurrent.seq_blstm import SeqBLSTM as SeqBLSTM
from torchlite.nn.recurrent.seq_brnn import SeqBRNN as SeqBRNN
from torchlite.nn.recurrent.seq_gru import SeqGRU as SeqGRU
from torchlite.nn.recurrent.seq_lstm import SeqLSTM as SeqLSTM
from torchlite.nn.recurrent.seq_lstmp import SeqLSTMP as SeqLSTMP
from torchlite.nn.recurrent.seq_reverse_sequence import SeqReverseSequence as SeqReverseSequence
from torchlite.nn.recurrent.sequencer import Sequencer as Sequencer
from torchlite.nn.recurrent.sequencer_criterion import SequencerCriterion as SequencerCriterion
from torchlite.nn.recurrent.step_gru import StepGRU as StepGRU
from torchlite.nn.recurrent.step_lstm import StepLSTM as StepLSTM
from torchlite.nn.recurrent.trim_zero import TrimZero as TrimZero
from torchlite.nn.recurrent.variable_length import VariableLength as VariableLength
from torchlite.nn.resampling.pixel_shuffle import PixelShuffle as PixelShuffle
from torchlite.nn.resampling.spatial_reflection_padding import (
    SpatialReflectionPadding as SpatialReflectionPadding,
)
from torchlite.nn.resampling.spatial_replication_padding import (
    SpatialReplicationPadding as SpatialReplicationPadding,
)
from torchlite.nn.resampling.spatial_up_sampling_bilinear import (
    SpatialUpSamplingBilinear as SpatialUpSamplingBilinear,
)
from torchlite.nn.resampling.spatial_up_sampling_nearest import (
    SpatialUpSamplingNearest as SpatialUpSamplingNearest,
)
from torchlite.nn.resampling.spatial_zero_padding import SpatialZeroPadding as SpatialZeroPadding
from torchlite.nn.resampling.up_sampling import UpSampling as UpSampling
from torchlite.nn.resampling.volumetric_replication_padding import (
    VolumetricReplicationPadding as VolumetricReplicationPadding,
)
from torchlite.nn.simple.add import Add as Add
from torchlite.nn.simple.bilinear import Bilinear as Bilinear
from torchlite.nn.simple.c_add import CAdd as CAdd
from torchlite.nn.simple.c_mul import CMul as CMul
from torchlite.nn.simple.collapse import Collapse as Collapse
from torchlite.nn.simple.constant import Constant as Constant
from torchlite.nn.simple.contiguous import Contiguous as Contiguous
from torchlite.nn.simple.convert import Convert as Convert
from torchlite.nn.simple.copy import Copy as Copy
from torchlite.nn.simple.cosine import Cosine as Cosine
from torchlite.nn.simple.dropout import Dropout as Dropout
from torchlite.nn.simple.euclidean import Euclidean as Euclidean
from torchlite.nn.simple.gradient_reversal import GradientReversal as GradientReversal
from torchlite.nn.simple.identity import Identity as Identity
from torchlite.nn.simple.index import Index as Index
from torchlite.nn.simple.index_linear import IndexLinear as IndexLinear
from torchlite.nn.simple.kmeans import Kmeans as Kmeans
from torchlite.nn.simple.l1_penalty import L1Penalty as L1Penalty
from torchlite.nn.simple.linear import Linear as Linear
from torchlite.nn.simple.linear_weight_norm import LinearWeightNorm as LinearWeightNorm
from torchlite.nn.simple.lookup_table import LookupTable as LookupTable
from torchlite.nn.simple.masked_select import MaskedSelect as MaskedSelect
from torchlite.nn.simple.max import Max as Max
from torchlite.nn.simple.maxout import Maxout as Maxout
from torchlite.nn.simple.mean import Mean as Mean
from torchlite.nn.simple.min import Min as Min
from torchlite.nn.simple.mm import MM as MM
from torchlite.nn.simple.mul import Mul as Mul
from torchlite.nn.simple.mv import MV as MV
from torchlite.nn.simple.narrow import Narrow as Narrow
from torchlite.nn.simple.normalize import Normalize as Normalize
from torchlite.nn.simple.one_hot import OneHot as OneHot
from torchlite.nn.simple.padding import Padding as Padding
from torchlite.nn.simple.partial_linear import PartialLinear as PartialLinear
from torchlite.nn.simple.print_size import PrintSize as PrintSize
from torchlite.nn.simple.replicate import Replicate as Replicate
from torchlite.nn.simple.reshape import Reshape as Reshape
from torchlite.nn.simple.select import Select as Select
from torchlite.nn.simple.sparse_linear import SparseLinear as SparseLinear
from torchlite.nn.simple.spatial_dropout import SpatialDropout as SpatialDropout
from torchlite.nn.simple.squeeze import Squeeze as Squeeze
from torchlite.nn.simple.sum import Sum as Sum
from torchlite.nn.simple.transpose import Transpose as Transpose
from torchlite.nn.simple.unsqueeze import Unsqueeze as Unsqueeze
from torchlite.nn.simple.view import View as View
from torchlite.nn.simple.volumetric_dropout import VolumetricDropout as VolumetricDropout
from torchlite.nn.simple.weighted_euclidean import WeightedEuclidean as WeightedEuclidean
from torchlite.nn.simple.white_noise import WhiteNoise as WhiteNoise
from torchlite.nn.simple.zero_grad import ZeroGrad as ZeroGrad
from torchlite.nn.table.c_add_table import CAddTable as CAddTable
from torchlite.nn.table.c_add_tensor_table import CAddTensorTable as CAddTensorTable
from torchlite.nn.table.c_div_table import CDivTable as CDivTable
from torchlite.nn.table.c_max_table import CMaxTable as CMaxTable
from torchlite.nn.table.c_min_table import CMinTable as CMinTable
from torchlite.nn.table.c_mul_table import CMulTable as CMulTable
from torchlite.nn.table.c_sub_table import CSubTable as CSubTable
from torchlite.nn.table.cosine_distance import CosineDistance as CosineDistance
from torchlite.nn.table.criterion_table import CriterionTable as CriterionTable
from torchlite.nn.table.dot_product import DotProduct as DotProduct
from torchlite.nn.table.flatten_table import FlattenTable as FlattenTable
from torchlite.nn.table.join_table import JoinTable as JoinTable
from torchlite.nn.table.mixture_table import MixtureTable as MixtureTable
from torchlite.nn.table.narrow_table import NarrowTable as NarrowTable
from torchlite.nn.table.pairwise_distance import PairwiseDistance as PairwiseDistance
from torchlite.nn.table.select_table import SelectTable as SelectTable
from torchlite.nn.table.split_table import SplitTable as SplitTable
from torchlite.nn.table.zip_table import ZipTable as ZipTable
from torchlite.nn.table.zip_table_one_to_many import ZipTableOneToMany as ZipTableOneToMany
from torchlite.nn.training.stochastic_gradient import StochasticGradient as StochasticGradient
from torchlite.nn.transfer.abs import Abs as Abs
from torchlite.nn.transfer.add_constant import AddConstant as AddConstant
from torchlite.nn.transfer.clamp import Clamp as Clamp
from torchlite.nn.transfer.crelu import CReLU as CReLU
from torchlite.nn.transfer.elu import ELU as ELU
from torchlite.nn.transfer.exp import Exp as Exp
from torchlite.nn.transfer.gated_linear_unit import GatedLinearUnit as GatedLinearUnit
from torchlite.nn.transfer.hard_shrink import HardShrink as HardShrink
from torchlite.nn.transfer.hard_tanh import HardTanh as HardTanh
from torchlite.nn.transfer.leaky_relu import LeakyReLU as LeakyReLU
from torchlite.nn.transfer.log import Log as Log
from torchlite.nn.transfer.log_sigmoid import LogSigmoid as LogSigmoid
from torchlite.nn.transfer.log_soft_max import LogSoftMax as LogSoftMax
from torchlite.nn.transfer.mul_constant import MulConstant as MulConstant
from torchlite.nn.transfer.power import Power as Power
from torchlite.nn.transfer.prelu import PReLU as PReLU
from torchlite.nn.transfer.relu import ReLU as ReLU
from torchlite.nn.transfer.relu6 import ReLU6 as ReLU6
from torchlite.nn.transfer.rrelu import RReLU as RReLU
from torchlite.nn.transfer.s_add import SAdd as SAdd
from torchlite.nn.transfer.sigmoid import Sigmoid as Sigmoid
from torchlite.nn.transfer.soft_max import SoftMax as SoftMax
from torchlite.nn.transfer.soft_min import SoftMin as SoftMin
from torchlite.nn.transfer.soft_plus import SoftPlus as SoftPlus
from torchlite.nn.transfer.soft_shrink import SoftShrink as SoftShrink
from torchlite.nn.transfer.soft_sign import SoftSign as SoftSign
from torchlite.nn.transfer.spatial_log_soft_max import SpatialLogSoftMax as SpatialLogSoftMax
from torchlite.nn.transfer.spatial_soft_max import SpatialSoftMax as SpatialSoftMax
from torchlite.nn.transfer.sqrt import Sqrt as Sqrt
from torchlite.nn.transfer.square import Square as Square
from torchlite.nn.transfer.tanh import Tanh as Tanh
from torchlite.nn.transfer.tanh_shrink import TanhShrink as TanhShrink
from torchlite.nn.transfer.threshold import Threshold as Threshold

__all__ = [  # noqa: RUF022
    "Abs",
    "AbsCriterion",
    "Add",
    "AddConstant",
    "ArgMax",
    "BCECriterion",
    "BatchNormalization",
    "BiSequencer",
    "BiSequencerLM",
    "Bilinear",
    "BinaryClassReward",
    "BinaryLogisticRegression",
    "Bottle",
    "CAdd",
    "CAddTable",
    "CAddTensorTable",
    "CDivTable",
    "CMaxTable",
    "CMinTable",
    "CMul",
    "CMulTable",
    "CReLU",
    "CSubTable",
    "CategoricalEntropy",
    "Clamp",
    "ClassNLLCriterion",
    "ClassSimplexCriterion",
    "Clip",
    "Collapse",
    "Concat",
    "ConcatTable",
    "Constant",
    "Container",
    "Contiguous",
    "Convert",
    "Copy",
    "CopyGrad",
    "Cosine",
    "CosineDistance",
    "CosineEmbeddingCriterion",
    "Criterion",
    "CriterionTable",
    "CrossEntropyCriterion",
    "Decorator",
    "DepthConcat",
    "DistKLDivCriterion",
    "DistanceRatioCriterion",
    "DontCast",
    "DotProduct",
    "Dropout",
    "ELU",
    "Euclidean",
    "Exp",
    "FastLSTM",
    "FeatureLPPooling",
    "FireModule",
    "FlattenTable",
    "GPU",
    "GRU",
    "GatedLinearUnit",
    "GradientReversal",
    "HardShrink",
    "HardTanh",
    "HingeEmbeddingCriterion",
    "Identity",
    "Inception",
    "Index",
    "IndexLinear",
    "JoinTable",
    "JustElement",
    "JustTable",
    "Kmeans",
    "L1Cost",
    "L1HingeEmbeddingCriterion",
    "L1Penalty",
    "LSTM",
    "LayerNormalization",
    "LeakyReLU",
    "Linear",
    "LinearNoBias",
    "LinearRNN",
    "LinearWeightNorm",
    "Log",
    "LogSigmoid",
    "LogSoftMax",
    "LookupRNN",
    "LookupTable",
    "LookupTableMaskZero",
    "MM",
    "MSECriterion",
    "MV",
    "MapTable",
    "MarginCriterion",
    "MarginRankingCriterion",
    "MaskZero",
    "MaskZeroCriterion",
    "MaskedSelect",
    "Max",
    "Maxout",
    "Mean",
    "Min",
    "MixtureTable",
    "Module",
    "ModuleCriterion",
    "ModuleFromCriterion",
    "MuFuRu",
    "Mul",
    "MulConstant",
    "MultiCriterion",
    "MultiLabelMarginCriterion",
    "MultiLabelSoftMarginCriterion",
    "MultiMarginCriterion",
    "NCECriterion",
    "NCEModule",
    "NaN",
    "Narrow",
    "NarrowTable",
    "NormStabilizer",
    "Normalize",
    "OneHot",
    "PReLU",
    "Padding",
    "PairwiseDistance",
    "Parallel",
    "ParallelCriterion",
    "ParallelTable",
    "PartialLinear",
    "PixelShuffle",
    "Power",
    "PrintSize",
    "Profile",
    "RReLU",
    "ReLU",
    "ReLU6",
    "RecGRU",
    "RecLSTM",
    "Recurrence",
    "Recurrent",
    "RecurrentAttention",
    "Recursor",
    "ReinforceBernoulli",
    "ReinforceCategorical",
    "ReinforceGamma",
    "ReinforceNormal",
    "Repeater",
    "RepeaterCriterion",
    "Replicate",
    "Reshape",
    "ReverseSequence",
    "ReverseTable",
    "ReverseUnreverse",
    "SAdd",
    "Select",
    "SelectTable",
    "SeqBGRU",
    "SeqBLSTM",
    "SeqBRNN",
    "SeqGRU",
    "SeqLSTM",
    "SeqLSTMP",
    "SeqReverseSequence",
    "Sequencer",
    "SequencerCriterion",
    "Sequential",
    "Sigmoid",
    "SmoothL1Criterion",
    "SoftMarginCriterion",
    "SoftMax",
    "SoftMaxTree",
    "SoftMin",
    "SoftPlus",
    "SoftShrink",
    "SoftSign",
    "SparseLinear",
    "SpatialAdaptiveAveragePooling",
    "SpatialAdaptiveMaxPooling",
    "SpatialAutoCropMSECriterion",
    "SpatialAveragePooling",
    "SpatialBatchNormalization",
    "SpatialBinaryLogisticRegression",
    "SpatialClassNLLCriterion",
    "SpatialContrastiveNormalization",
    "SpatialConvolution",
    "SpatialConvolutionLocal",
    "SpatialConvolutionMM",
    "SpatialConvolutionMap",
    "SpatialCrossMapLRN",
    "SpatialDepthWiseConvolution",
    "SpatialDilatedConvolution",
    "SpatialDilatedMaxPooling",
    "SpatialDivisiveNormalization",
    "SpatialDropout",
    "SpatialFeatNormalization",
    "SpatialFractionalMaxPooling",
    "SpatialFullConvolution",
    "SpatialFullConvolutionMap",
    "SpatialGlimpse",
    "SpatialLPPooling",
    "SpatialLogSoftMax",
    "SpatialMaxPooling",
    "SpatialMaxUnpooling",
    "SpatialReflectionPadding",
    "SpatialRegionDropout",
    "SpatialReplicationPadding",
    "SpatialSoftMax",
    "SpatialSubSampling",
    "SpatialSubtractiveNormalization",
    "SpatialUpSamplingBilinear",
    "SpatialUpSamplingNearest",
    "SpatialZeroPadding",
    "SplitTable",
    "Sqrt",
    "Square",
    "Squeeze",
    "StepGRU",
    "StepLSTM",
    "StochasticGradient",
    "Sum",
    "Tanh",
    "TanhShrink",
    "TemporalConvolution",
    "TemporalDynamicKMaxPooling",
    "TemporalMaxPooling",
    "TemporalRowConvolution",
    "TemporalSubSampling",
    "Threshold",
    "TotalDropout",
    "Transpose",
    "TreeNLLCriterion",
    "TrimZero",
    "Unsqueeze",
    "UpSampling",
    "VRClassReward",
    "VariableLength",
    "View",
    "VolumetricAveragePooling",
    "VolumetricBatchNormalization",
    "VolumetricConvolution",
    "VolumetricDilatedConvolution",
    "VolumetricDilatedMaxPooling",
    "VolumetricDropout",
    "VolumetricFractionalMaxPooling",
    "VolumetricFullConvolution",
    "VolumetricMaxPooling",
    "VolumetricMaxUnpooling",
    "VolumetricReplicationPadding",
    "WeightNorm",
    "WeightedEuclidean",
    "WeightedMSECriterion",
    "WhiteNoise",
    "ZeroGrad",
    "ZipTable",
    "ZipTableOneToMany",
    "gModule",
]
