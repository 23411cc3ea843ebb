"""Graphs, as Torch7's packages graph and nngraph have them: `nn.gModule` is made of their nodes."""

from torchlite.nn.graph._dot import dot
from torchlite.nn.graph._graph import Edge, Graph, Node
from torchlite.nn.graph._nodes import ModuleNode, NodeData, holds_nodes, nest, node_of

__all__ = [
    "Edge",
    "Graph",
    "ModuleNode",
    "Node",
    "NodeData",
    "dot",
    "holds_nodes",
    "nest",
    "node_of",
]
