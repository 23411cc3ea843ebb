"""Every layer and criterion, by chapter of Torch7's documentation."""

from torchlite.nn.container import Container
from torchlite.nn.containers.bottle import Bottle
from torchlite.nn.containers.concat import Concat
from torchlite.nn.containers.concat_table import ConcatTable
from torchlite.nn.containers.decorator import Decorator
from torchlite.nn.containers.depth_concat import DepthConcat
from torchlite.nn.containers.dont_cast import DontCast
from torchlite.nn.containers.map_table import MapTable
from torchlite.nn.containers.nan import NaN
from torchlite.nn.containers.parallel import Parallel
from torchlite.nn.containers.parallel_table import ParallelTable
from torchlite.nn.containers.profile import Profile
from torchlite.nn.containers.sequential import Sequential
from torchlite.nn.containers.weight_norm import WeightNorm
from torchlite.nn.criterion import Criterion
from torchlite.nn.criterions.abs_criterion import AbsCriterion
from torchlite.nn.criterions.bce_criterion import BCECriterion
from torchlite.nn.criterions.class_nll_criterion import ClassNLLCriterion
from torchlite.nn.criterions.class_simplex_criterion import ClassSimplexCriterion
from torchlite.nn.criterions.cosine_embedding_criterion import CosineEmbeddingCriterion
from torchlite.nn.criterions.cross_entropy_criterion import CrossEntropyCriterion
from torchlite.nn.criterions.dist_kl_div_criterion import DistKLDivCriterion
from torchlite.nn.criterions.distance_ratio_criterion import DistanceRatioCriterion
from torchlite.nn.criterions.hinge_embedding_criterion import HingeEmbeddingCriterion
from torchlite.nn.criterions.l1_cost import L1Cost
from torchlite.nn.criterions.l1_hinge_embedding_criterion import L1HingeEmbeddingCriterion
from torchlite.nn.criterions.margin_criterion import MarginCriterion
from torchlite.nn.criterions.margin_ranking_criterion import MarginRankingCriterion
from torchlite.nn.criterions.module_criterion import ModuleCriterion
from torchlite.nn.criterions.mse_criterion import MSECriterion
from torchlite.nn.criterions.multi_criterion import MultiCriterion
from torchlite.nn.criterions.multi_label_margin_criterion import MultiLabelMarginCriterion
from torchlite.nn.criterions.multi_label_soft_margin_criterion import MultiLabelSoftMarginCriterion
from torchlite.nn.criterions.multi_margin_criterion import MultiMarginCriterion
from torchlite.nn.criterions.parallel_criterion import ParallelCriterion
from torchlite.nn.criterions.smooth_l1_criterion import SmoothL1Criterion
from torchlite.nn.criterions.soft_margin_criterion import SoftMarginCriterion
from torchlite.nn.criterions.spatial_auto_crop_mse_criterion import SpatialAutoCropMSECriterion
from torchlite.nn.criterions.spatial_class_nll_criterion import SpatialClassNLLCriterion
from torchlite.nn.criterions.weighted_mse_criterion import WeightedMSECriterion
from torchlite.nn.module import Module
from torchlite.nn.simple.add import Add
from torchlite.nn.simple.batch_normalization import BatchNormalization
from torchlite.nn.simple.bilinear import Bilinear
from torchlite.nn.simple.c_add import CAdd
from torchlite.nn.simple.c_mul import CMul
from torchlite.nn.simple.collapse import Collapse
from torchlite.nn.simple.constant import Constant
from torchlite.nn.simple.contiguous import Contiguous
from torchlite.nn.simple.convert import Convert
from torchlite.nn.simple.copy import Copy
from torchlite.nn.simple.cosine import Cosine
from torchlite.nn.simple.dropout import Dropout
from torchlite.nn.simple.euclidean import Euclidean
from torchlite.nn.simple.gradient_reversal import GradientReversal
from torchlite.nn.simple.identity import Identity
from torchlite.nn.simple.index import Index
from torchlite.nn.simple.l1_penalty import L1Penalty
from torchlite.nn.simple.layer_normalization import LayerNormalization
from torchlite.nn.simple.linear import Linear
from torchlite.nn.simple.linear_weight_norm import LinearWeightNorm
from torchlite.nn.simple.lookup_table import LookupTable
from torchlite.nn.simple.masked_select import MaskedSelect
from torchlite.nn.simple.max import Max
from torchlite.nn.simple.maxout import Maxout
from torchlite.nn.simple.mean import Mean
from torchlite.nn.simple.min import Min
from torchlite.nn.simple.mm import MM
from torchlite.nn.simple.mul import Mul
from torchlite.nn.simple.mv import MV
from torchlite.nn.simple.narrow import Narrow
from torchlite.nn.simple.normalize import Normalize
from torchlite.nn.simple.one_hot import OneHot
from torchlite.nn.simple.padding import Padding
from torchlite.nn.simple.partial_linear import PartialLinear
from torchlite.nn.simple.print_size import PrintSize
from torchlite.nn.simple.replicate import Replicate
from torchlite.nn.simple.reshape import Reshape
from torchlite.nn.simple.select import Select
from torchlite.nn.simple.spatial_dropout import SpatialDropout
from torchlite.nn.simple.squeeze import Squeeze
from torchlite.nn.simple.sum import Sum
from torchlite.nn.simple.transpose import Transpose
from torchlite.nn.simple.unsqueeze import Unsqueeze
from torchlite.nn.simple.view import View
from torchlite.nn.simple.volumetric_dropout import VolumetricDropout
from torchlite.nn.simple.weighted_euclidean import WeightedEuclidean
from torchlite.nn.simple.white_noise import WhiteNoise
from torchlite.nn.simple.zero_grad import ZeroGrad
from torchlite.nn.table.c_add_table import CAddTable
from torchlite.nn.table.c_add_tensor_table import CAddTensorTable
from torchlite.nn.table.c_div_table import CDivTable
from torchlite.nn.table.c_max_table import CMaxTable
from torchlite.nn.table.c_min_table import CMinTable
from torchlite.nn.table.c_mul_table import CMulTable
from torchlite.nn.table.c_sub_table import CSubTable
from torchlite.nn.table.cosine_distance import CosineDistance
from torchlite.nn.table.criterion_table import CriterionTable
from torchlite.nn.table.dot_product import DotProduct
from torchlite.nn.table.flatten_table import FlattenTable
from torchlite.nn.table.join_table import JoinTable
from torchlite.nn.table.mixture_table import MixtureTable
from torchlite.nn.table.narrow_table import NarrowTable
from torchlite.nn.table.pairwise_distance import PairwiseDistance
from torchlite.nn.table.select_table import SelectTable
from torchlite.nn.table.split_table import SplitTable
from torchlite.nn.table.zip_table import ZipTable
from torchlite.nn.table.zip_table_one_to_many import ZipTableOneToMany
from torchlite.nn.training.stochastic_gradient import StochasticGradient
from torchlite.nn.transfer.abs import Abs
from torchlite.nn.transfer.add_constant import AddConstant
from torchlite.nn.transfer.clamp import Clamp
from torchlite.nn.transfer.crelu import CReLU
from torchlite.nn.transfer.elu import ELU
from torchlite.nn.transfer.exp import Exp
from torchlite.nn.transfer.gated_linear_unit import GatedLinearUnit
from torchlite.nn.transfer.hard_shrink import HardShrink
from torchlite.nn.transfer.hard_tanh import HardTanh
from torchlite.nn.transfer.leaky_relu import LeakyReLU
from torchlite.nn.transfer.log import Log
from torchlite.nn.transfer.log_sigmoid import LogSigmoid
from torchlite.nn.transfer.log_soft_max import LogSoftMax
from torchlite.nn.transfer.mul_constant import MulConstant
from torchlite.nn.transfer.power import Power
from torchlite.nn.transfer.prelu import PReLU
from torchlite.nn.transfer.relu import ReLU
from torchlite.nn.transfer.relu6 import ReLU6
from torchlite.nn.transfer.rrelu import RReLU
from torchlite.nn.transfer.sigmoid import Sigmoid
from torchlite.nn.transfer.soft_max import SoftMax
from torchlite.nn.transfer.soft_min import SoftMin
from torchlite.nn.transfer.soft_plus import SoftPlus
from torchlite.nn.transfer.soft_shrink import SoftShrink
from torchlite.nn.transfer.soft_sign import SoftSign
from torchlite.nn.transfer.spatial_log_soft_max import SpatialLogSoftMax
from torchlite.nn.transfer.spatial_soft_max import SpatialSoftMax
from torchlite.nn.transfer.sqrt import Sqrt
from torchlite.nn.transfer.square import Square
from torchlite.nn.transfer.tanh import Tanh
from torchlite.nn.transfer.tanh_shrink import TanhShrink
from torchlite.nn.transfer.threshold import Threshold

__all__ = [
    "ELU",
    "MM",
    "MV",
    "Abs",
    "AbsCriterion",
    "Add",
    "AddConstant",
    "BCECriterion",
    "BatchNormalization",
    "Bilinear",
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
    "Clamp",
    "ClassNLLCriterion",
    "ClassSimplexCriterion",
    "Collapse",
    "Concat",
    "ConcatTable",
    "Constant",
    "Container",
    "Contiguous",
    "Convert",
    "Copy",
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
    "Euclidean",
    "Exp",
    "FlattenTable",
    "GatedLinearUnit",
    "GradientReversal",
    "HardShrink",
    "HardTanh",
    "HingeEmbeddingCriterion",
    "Identity",
    "Index",
    "JoinTable",
    "L1Cost",
    "L1HingeEmbeddingCriterion",
    "L1Penalty",
    "LayerNormalization",
    "LeakyReLU",
    "Linear",
    "LinearWeightNorm",
    "Log",
    "LogSigmoid",
    "LogSoftMax",
    "LookupTable",
    "MSECriterion",
    "MapTable",
    "MarginCriterion",
    "MarginRankingCriterion",
    "MaskedSelect",
    "Max",
    "Maxout",
    "Mean",
    "Min",
    "MixtureTable",
    "Module",
    "ModuleCriterion",
    "Mul",
    "MulConstant",
    "MultiCriterion",
    "MultiLabelMarginCriterion",
    "MultiLabelSoftMarginCriterion",
    "MultiMarginCriterion",
    "NaN",
    "Narrow",
    "NarrowTable",
    "Normalize",
    "OneHot",
    "PReLU",
    "Padding",
    "PairwiseDistance",
    "Parallel",
    "ParallelCriterion",
    "ParallelTable",
    "PartialLinear",
    "Power",
    "PrintSize",
    "Profile",
    "RReLU",
    "ReLU",
    "ReLU6",
    "Replicate",
    "Reshape",
    "Select",
    "SelectTable",
    "Sequential",
    "Sigmoid",
    "SmoothL1Criterion",
    "SoftMarginCriterion",
    "SoftMax",
    "SoftMin",
    "SoftPlus",
    "SoftShrink",
    "SoftSign",
    "SpatialAutoCropMSECriterion",
    "SpatialClassNLLCriterion",
    "SpatialDropout",
    "SpatialLogSoftMax",
    "SpatialSoftMax",
    "SplitTable",
    "Sqrt",
    "Square",
    "Squeeze",
    "StochasticGradient",
    "Sum",
    "Tanh",
    "TanhShrink",
    "Threshold",
    "Transpose",
    "Unsqueeze",
    "View",
    "VolumetricDropout",
    "WeightNorm",
    "WeightedEuclidean",
    "WeightedMSECriterion",
    "WhiteNoise",
    "ZeroGrad",
    "ZipTable",
    "ZipTableOneToMany",
]
