"""The messages of tensorflow_serving.proto. Written by `make protos`: change that file, not this one."""

from google.protobuf import descriptor_pool
from google.protobuf.message_factory import GetMessageClass

_FILE = descriptor_pool.Default().AddSerializedFile(
    b'\n"warmstart/tensorflow_serving.proto\x12\x1cwarmstart.'
    b'tensorflow_serving""\n\nInt64Value\x12\x14\n\x05value\x18\x01 \x01(\x03R'
    b'\x05value"6\n\x03Any\x12\x19\n\x08type_url\x18\x01 \x01(\tR\x07typeUrl\x12\x14\n\x05valu'
    b'e\x18\x02 \x01(\x0cR\x05value"\xaa\x01\n\x10TensorShapeProto\x12D\n\x03dim\x18\x02 \x03(\x0b'
    b'22.warmstart.tensorflow_serving.TensorShapeProto'
    b'.DimR\x03dim\x12!\n\x0cunknown_rank\x18\x03 \x01(\x08R\x0bunknownRank\x1a-\n\x03'
    b'Dim\x12\x12\n\x04size\x18\x01 \x01(\x03R\x04size\x12\x12\n\x04name\x18\x02 \x01(\tR\x04name"\xc9\x03\n\x0b'
    b'TensorProto\x12\x14\n\x05dtype\x18\x01 \x01(\x05R\x05dtype\x12Q\n\x0ctensor_shap'
    b'e\x18\x02 \x01(\x0b2..warmstart.tensorflow_serving.TensorSha'
    b'peProtoR\x0btensorShape\x12%\n\x0eversion_number\x18\x03 \x01(\x05R\rve'
    b'rsionNumber\x12%\n\x0etensor_content\x18\x04 \x01(\x0cR\rtensorConte'
    b'nt\x12\x1b\n\tfloat_val\x18\x05 \x03(\x02R\x08floatVal\x12\x1d\n\ndouble_val\x18\x06 '
    b'\x03(\x01R\tdoubleVal\x12\x17\n\x07int_val\x18\x07 \x03(\x05R\x06intVal\x12\x1d\n\nstrin'
    b'g_val\x18\x08 \x03(\x0cR\tstringVal\x12\x1b\n\tint64_val\x18\n \x03(\x03R\x08int64'
    b'Val\x12\x19\n\x08bool_val\x18\x0b \x03(\x08R\x07boolVal\x12\x19\n\x08half_val\x18\r \x03(\x05'
    b'R\x07halfVal\x12\x1d\n\nuint32_val\x18\x10 \x03(\rR\tuint32Val\x12\x1d\n\nuint'
    b'64_val\x18\x11 \x03(\x04R\tuint64Val"\x89\x01\n\nTensorInfo\x12\x12\n\x04name\x18\x01'
    b' \x01(\tR\x04name\x12\x14\n\x05dtype\x18\x02 \x01(\x05R\x05dtype\x12Q\n\x0ctensor_shape'
    b'\x18\x03 \x01(\x0b2..warmstart.tensorflow_serving.TensorShap'
    b'eProtoR\x0btensorShape"\x9d\x03\n\x0cSignatureDef\x12N\n\x06inputs\x18\x01'
    b' \x03(\x0b26.warmstart.tensorflow_serving.SignatureDef'
    b'.InputsEntryR\x06inputs\x12Q\n\x07outputs\x18\x02 \x03(\x0b27.warmstar'
    b't.tensorflow_serving.SignatureDef.OutputsEntryR\x07'
    b'outputs\x12\x1f\n\x0bmethod_name\x18\x03 \x01(\tR\nmethodName\x1ac\n\x0bInpu'
    b'tsEntry\x12\x10\n\x03key\x18\x01 \x01(\tR\x03key\x12>\n\x05value\x18\x02 \x01(\x0b2(.warms'
    b'tart.tensorflow_serving.TensorInfoR\x05value:\x028\x01\x1ad\n'
    b'\x0cOutputsEntry\x12\x10\n\x03key\x18\x01 \x01(\tR\x03key\x12>\n\x05value\x18\x02 \x01(\x0b2('
    b'.warmstart.tensorflow_serving.TensorInfoR\x05value:'
    b'\x028\x01"\xe4\x01\n\x0fSignatureDefMap\x12d\n\rsignature_def\x18\x01 \x03(\x0b2?'
    b'.warmstart.tensorflow_serving.SignatureDefMap.Si'
    b'gnatureDefEntryR\x0csignatureDef\x1ak\n\x11SignatureDefEnt'
    b'ry\x12\x10\n\x03key\x18\x01 \x01(\tR\x03key\x12@\n\x05value\x18\x02 \x01(\x0b2*.warmstart.'
    b'tensorflow_serving.SignatureDefR\x05value:\x028\x01"\xc5\x01\n\tM'
    b'odelSpec\x12\x12\n\x04name\x18\x01 \x01(\tR\x04name\x12D\n\x07version\x18\x02 \x01(\x0b2(.'
    b'warmstart.tensorflow_serving.Int64ValueH\x00R\x07versi'
    b'on\x12%\n\rversion_label\x18\x04 \x01(\tH\x00R\x0cversionLabel\x12%\n\x0esig'
    b'nature_name\x18\x03 \x01(\tR\rsignatureNameB\x10\n\x0eversion_choi'
    b'ce"\xb5\x02\n\x0ePredictRequest\x12F\n\nmodel_spec\x18\x01 \x01(\x0b2\'.warm'
    b'start.tensorflow_serving.ModelSpecR\tmodelSpec\x12P\n'
    b'\x06inputs\x18\x02 \x03(\x0b28.warmstart.tensorflow_serving.Pre'
    b'dictRequest.InputsEntryR\x06inputs\x12#\n\routput_filter'
    b'\x18\x03 \x03(\tR\x0coutputFilter\x1ad\n\x0bInputsEntry\x12\x10\n\x03key\x18\x01 \x01(\t'
    b'R\x03key\x12?\n\x05value\x18\x02 \x01(\x0b2).warmstart.tensorflow_serv'
    b'ing.TensorProtoR\x05value:\x028\x01"\x96\x02\n\x0fPredictResponse\x12T'
    b'\n\x07outputs\x18\x01 \x03(\x0b2:.warmstart.tensorflow_serving.P'
    b'redictResponse.OutputsEntryR\x07outputs\x12F\n\nmodel_sp'
    b"ec\x18\x02 \x01(\x0b2'.warmstart.tensorflow_serving.ModelSpe"
    b'cR\tmodelSpec\x1ae\n\x0cOutputsEntry\x12\x10\n\x03key\x18\x01 \x01(\tR\x03key\x12?'
    b'\n\x05value\x18\x02 \x01(\x0b2).warmstart.tensorflow_serving.Ten'
    b'sorProtoR\x05value:\x028\x01"\x88\x01\n\x17GetModelMetadataRequest\x12'
    b"F\n\nmodel_spec\x18\x01 \x01(\x0b2'.warmstart.tensorflow_servi"
    b'ng.ModelSpecR\tmodelSpec\x12%\n\x0emetadata_field\x18\x02 \x03(\tR'
    b'\rmetadataField"\xa4\x02\n\x18GetModelMetadataResponse\x12F\n\nm'
    b"odel_spec\x18\x01 \x01(\x0b2'.warmstart.tensorflow_serving.M"
    b'odelSpecR\tmodelSpec\x12`\n\x08metadata\x18\x02 \x03(\x0b2D.warmstar'
    b't.tensorflow_serving.GetModelMetadataResponse.Me'
    b'tadataEntryR\x08metadata\x1a^\n\rMetadataEntry\x12\x10\n\x03key\x18\x01 '
    b'\x01(\tR\x03key\x127\n\x05value\x18\x02 \x01(\x0b2!.warmstart.tensorflow_s'
    b'erving.AnyR\x05value:\x028\x01"_\n\x15GetModelStatusRequest\x12F'
    b"\n\nmodel_spec\x18\x01 \x01(\x0b2'.warmstart.tensorflow_servin"
    b'g.ModelSpecR\tmodelSpec"Q\n\x0bStatusProto\x12\x1d\n\nerror_c'
    b'ode\x18\x01 \x01(\x05R\terrorCode\x12#\n\rerror_message\x18\x02 \x01(\tR\x0cerr'
    b'orMessage"\x87\x01\n\x12ModelVersionStatus\x12\x18\n\x07version\x18\x01 \x01('
    b'\x03R\x07version\x12\x14\n\x05state\x18\x02 \x01(\x05R\x05state\x12A\n\x06status\x18\x03 \x01(\x0b'
    b'2).warmstart.tensorflow_serving.StatusProtoR\x06sta'
    b'tus"|\n\x16GetModelStatusResponse\x12b\n\x14model_version_s'
    b'tatus\x18\x01 \x03(\x0b20.warmstart.tensorflow_serving.Model'
    b'VersionStatusR\x12modelVersionStatusb\x06proto3'
)
Int64Value = GetMessageClass(_FILE.message_types_by_name["Int64Value"])
Any = GetMessageClass(_FILE.message_types_by_name["Any"])
TensorShapeProto = GetMessageClass(_FILE.message_types_by_name["TensorShapeProto"])
TensorProto = GetMessageClass(_FILE.message_types_by_name["TensorProto"])
TensorInfo = GetMessageClass(_FILE.message_types_by_name["TensorInfo"])
SignatureDef = GetMessageClass(_FILE.message_types_by_name["SignatureDef"])
SignatureDefMap = GetMessageClass(_FILE.message_types_by_name["SignatureDefMap"])
ModelSpec = GetMessageClass(_FILE.message_types_by_name["ModelSpec"])
PredictRequest = GetMessageClass(_FILE.message_types_by_name["PredictRequest"])
PredictResponse = GetMessageClass(_FILE.message_types_by_name["PredictResponse"])
GetModelMetadataRequest = GetMessageClass(_FILE.message_types_by_name["GetModelMetadataRequest"])
GetModelMetadataResponse = GetMessageClass(_FILE.message_types_by_name["GetModelMetadataResponse"])
GetModelStatusRequest = GetMessageClass(_FILE.message_types_by_name["GetModelStatusRequest"])
StatusProto = GetMessageClass(_FILE.message_types_by_name["StatusProto"])
ModelVersionStatus = GetMessageClass(_FILE.message_types_by_name["ModelVersionStatus"])
GetModelStatusResponse = GetMessageClass(_FILE.message_types_by_name["GetModelStatusResponse"])
