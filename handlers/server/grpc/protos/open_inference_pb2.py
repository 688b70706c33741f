"""The messages of open_inference.proto. Written by `make protos`: change that file, not this one."""

from google.protobuf import descriptor_pool
from google.protobuf.message_factory import GetMessageClass

_FILE = descriptor_pool.Default().AddSerializedFile(
    b'\n\x1ewarmstart/open_inference.proto\x12\x18warmstart.open'
    b'_inference"\x07\n\x05Empty"(\n\x12ServerLiveResponse\x12\x12\n\x04liv'
    b'e\x18\x01 \x01(\x08R\x04live"+\n\x13ServerReadyResponse\x12\x14\n\x05ready\x18\x01 '
    b'\x01(\x08R\x05ready"A\n\x11ModelReadyRequest\x12\x12\n\x04name\x18\x01 \x01(\tR\x04n'
    b'ame\x12\x18\n\x07version\x18\x02 \x01(\tR\x07version"*\n\x12ModelReadyRespo'
    b'nse\x12\x14\n\x05ready\x18\x01 \x01(\x08R\x05ready"f\n\x16ServerMetadataRespo'
    b'nse\x12\x12\n\x04name\x18\x01 \x01(\tR\x04name\x12\x18\n\x07version\x18\x02 \x01(\tR\x07versio'
    b'n\x12\x1e\n\nextensions\x18\x03 \x03(\tR\nextensions"D\n\x14ModelMetada'
    b'taRequest\x12\x12\n\x04name\x18\x01 \x01(\tR\x04name\x12\x18\n\x07version\x18\x02 \x01(\tR\x07'
    b'version"\xed\x02\n\x15ModelMetadataResponse\x12\x12\n\x04name\x18\x01 \x01(\tR'
    b'\x04name\x12\x1a\n\x08versions\x18\x02 \x03(\tR\x08versions\x12\x1a\n\x08platform\x18\x03 '
    b'\x01(\tR\x08platform\x12V\n\x06inputs\x18\x04 \x03(\x0b2>.warmstart.open_i'
    b'nference.ModelMetadataResponse.TensorMetadataR\x06i'
    b'nputs\x12X\n\x07outputs\x18\x05 \x03(\x0b2>.warmstart.open_inferenc'
    b'e.ModelMetadataResponse.TensorMetadataR\x07outputs\x1a'
    b'V\n\x0eTensorMetadata\x12\x12\n\x04name\x18\x01 \x01(\tR\x04name\x12\x1a\n\x08datatyp'
    b'e\x18\x02 \x01(\tR\x08datatype\x12\x14\n\x05shape\x18\x03 \x03(\x03R\x05shape"\xd7\x01\n\x0eInfe'
    b'rParameter\x12\x1f\n\nbool_param\x18\x01 \x01(\x08H\x00R\tboolParam\x12!\n\x0bi'
    b'nt64_param\x18\x02 \x01(\x03H\x00R\nint64Param\x12#\n\x0cstring_param\x18\x03'
    b' \x01(\tH\x00R\x0bstringParam\x12#\n\x0cdouble_param\x18\x04 \x01(\x01H\x00R\x0bdou'
    b'bleParam\x12#\n\x0cuint64_param\x18\x05 \x01(\x04H\x00R\x0buint64ParamB\x12\n'
    b'\x10parameter_choice"\xc3\x02\n\x13InferTensorContents\x12#\n\rboo'
    b'l_contents\x18\x01 \x03(\x08R\x0cboolContents\x12!\n\x0cint_contents\x18\x02'
    b' \x03(\x05R\x0bintContents\x12%\n\x0eint64_contents\x18\x03 \x03(\x03R\rint64'
    b"Contents\x12#\n\ruint_contents\x18\x04 \x03(\rR\x0cuintContents\x12'\n"
    b'\x0fuint64_contents\x18\x05 \x03(\x04R\x0euint64Contents\x12#\n\rfp32_c'
    b'ontents\x18\x06 \x03(\x02R\x0cfp32Contents\x12#\n\rfp64_contents\x18\x07 \x03'
    b'(\x01R\x0cfp64Contents\x12%\n\x0ebytes_contents\x18\x08 \x03(\x0cR\rbytesC'
    b'ontents"\xa4\t\n\x11ModelInferRequest\x12\x1d\n\nmodel_name\x18\x01 \x01('
    b'\tR\tmodelName\x12#\n\rmodel_version\x18\x02 \x01(\tR\x0cmodelVersio'
    b'n\x12\x0e\n\x02id\x18\x03 \x01(\tR\x02id\x12[\n\nparameters\x18\x04 \x03(\x0b2;.warmstar'
    b't.open_inference.ModelInferRequest.ParametersEnt'
    b'ryR\nparameters\x12T\n\x06inputs\x18\x05 \x03(\x0b2<.warmstart.open_'
    b'inference.ModelInferRequest.InferInputTensorR\x06in'
    b'puts\x12`\n\x07outputs\x18\x06 \x03(\x0b2F.warmstart.open_inference'
    b'.ModelInferRequest.InferRequestedOutputTensorR\x07o'
    b'utputs\x12,\n\x12raw_input_contents\x18\x07 \x03(\x0cR\x10rawInputCont'
    b'ents\x1a\xfa\x02\n\x10InferInputTensor\x12\x12\n\x04name\x18\x01 \x01(\tR\x04name\x12\x1a\n'
    b'\x08datatype\x18\x02 \x01(\tR\x08datatype\x12\x14\n\x05shape\x18\x03 \x03(\x03R\x05shape\x12'
    b'l\n\nparameters\x18\x04 \x03(\x0b2L.warmstart.open_inference.M'
    b'odelInferRequest.InferInputTensor.ParametersEntr'
    b'yR\nparameters\x12I\n\x08contents\x18\x05 \x01(\x0b2-.warmstart.open'
    b'_inference.InferTensorContentsR\x08contents\x1ag\n\x0fPara'
    b'metersEntry\x12\x10\n\x03key\x18\x01 \x01(\tR\x03key\x12>\n\x05value\x18\x02 \x01(\x0b2(.w'
    b'armstart.open_inference.InferParameterR\x05value:\x028'
    b'\x01\x1a\x91\x02\n\x1aInferRequestedOutputTensor\x12\x12\n\x04name\x18\x01 \x01(\tR\x04'
    b'name\x12v\n\nparameters\x18\x02 \x03(\x0b2V.warmstart.open_infere'
    b'nce.ModelInferRequest.InferRequestedOutputTensor'
    b'.ParametersEntryR\nparameters\x1ag\n\x0fParametersEntry\x12'
    b'\x10\n\x03key\x18\x01 \x01(\tR\x03key\x12>\n\x05value\x18\x02 \x01(\x0b2(.warmstart.ope'
    b'n_inference.InferParameterR\x05value:\x028\x01\x1ag\n\x0fParamet'
    b'ersEntry\x12\x10\n\x03key\x18\x01 \x01(\tR\x03key\x12>\n\x05value\x18\x02 \x01(\x0b2(.warm'
    b'start.open_inference.InferParameterR\x05value:\x028\x01"\xb9'
    b'\x06\n\x12ModelInferResponse\x12\x1d\n\nmodel_name\x18\x01 \x01(\tR\tmodel'
    b'Name\x12#\n\rmodel_version\x18\x02 \x01(\tR\x0cmodelVersion\x12\x0e\n\x02id\x18'
    b'\x03 \x01(\tR\x02id\x12\\\n\nparameters\x18\x04 \x03(\x0b2<.warmstart.open_i'
    b'nference.ModelInferResponse.ParametersEntryR\npar'
    b'ameters\x12X\n\x07outputs\x18\x05 \x03(\x0b2>.warmstart.open_infere'
    b'nce.ModelInferResponse.InferOutputTensorR\x07output'
    b's\x12.\n\x13raw_output_contents\x18\x06 \x03(\x0cR\x11rawOutputContent'
    b's\x1a\xfd\x02\n\x11InferOutputTensor\x12\x12\n\x04name\x18\x01 \x01(\tR\x04name\x12\x1a\n\x08d'
    b'atatype\x18\x02 \x01(\tR\x08datatype\x12\x14\n\x05shape\x18\x03 \x03(\x03R\x05shape\x12n\n'
    b'\nparameters\x18\x04 \x03(\x0b2N.warmstart.open_inference.Mod'
    b'elInferResponse.InferOutputTensor.ParametersEntr'
    b'yR\nparameters\x12I\n\x08contents\x18\x05 \x01(\x0b2-.warmstart.open'
    b'_inference.InferTensorContentsR\x08contents\x1ag\n\x0fPara'
    b'metersEntry\x12\x10\n\x03key\x18\x01 \x01(\tR\x03key\x12>\n\x05value\x18\x02 \x01(\x0b2(.w'
    b'armstart.open_inference.InferParameterR\x05value:\x028'
    b'\x01\x1ag\n\x0fParametersEntry\x12\x10\n\x03key\x18\x01 \x01(\tR\x03key\x12>\n\x05value\x18'
    b'\x02 \x01(\x0b2(.warmstart.open_inference.InferParameterR'
    b'\x05value:\x028\x01"W\n\x16RepositoryIndexRequest\x12\'\n\x0freposito'
    b'ry_name\x18\x01 \x01(\tR\x0erepositoryName\x12\x14\n\x05ready\x18\x02 \x01(\x08R\x05re'
    b'ady"\xd9\x01\n\x17RepositoryIndexResponse\x12T\n\x06models\x18\x01 \x03(\x0b2'
    b'<.warmstart.open_inference.RepositoryIndexRespon'
    b'se.ModelIndexR\x06models\x1ah\n\nModelIndex\x12\x12\n\x04name\x18\x01 \x01('
    b'\tR\x04name\x12\x18\n\x07version\x18\x02 \x01(\tR\x07version\x12\x14\n\x05state\x18\x03 \x01(\t'
    b'R\x05state\x12\x16\n\x06reason\x18\x04 \x01(\tR\x06reason"F\n\x16ModelStatisti'
    b'csRequest\x12\x12\n\x04name\x18\x01 \x01(\tR\x04name\x12\x18\n\x07version\x18\x02 \x01(\tR\x07'
    b'version"9\n\x11StatisticDuration\x12\x14\n\x05count\x18\x01 \x01(\x04R\x05cou'
    b'nt\x12\x0e\n\x02ns\x18\x02 \x01(\x04R\x02ns"\xea\x04\n\x0fInferStatistics\x12E\n\x07succes'
    b's\x18\x01 \x01(\x0b2+.warmstart.open_inference.StatisticDura'
    b'tionR\x07success\x12?\n\x04fail\x18\x02 \x01(\x0b2+.warmstart.open_inf'
    b'erence.StatisticDurationR\x04fail\x12A\n\x05queue\x18\x03 \x01(\x0b2+.'
    b'warmstart.open_inference.StatisticDurationR\x05queu'
    b'e\x12P\n\rcompute_input\x18\x04 \x01(\x0b2+.warmstart.open_infere'
    b'nce.StatisticDurationR\x0ccomputeInput\x12P\n\rcompute_i'
    b'nfer\x18\x05 \x01(\x0b2+.warmstart.open_inference.StatisticD'
    b'urationR\x0ccomputeInfer\x12R\n\x0ecompute_output\x18\x06 \x01(\x0b2+.'
    b'warmstart.open_inference.StatisticDurationR\rcomp'
    b'uteOutput\x12H\n\tcache_hit\x18\x07 \x01(\x0b2+.warmstart.open_in'
    b'ference.StatisticDurationR\x08cacheHit\x12J\n\ncache_mis'
    b's\x18\x08 \x01(\x0b2+.warmstart.open_inference.StatisticDura'
    b'tionR\tcacheMiss"\x8c\x02\n\x0fModelStatistics\x12\x12\n\x04name\x18\x01 \x01('
    b'\tR\x04name\x12\x18\n\x07version\x18\x02 \x01(\tR\x07version\x12%\n\x0elast_infere'
    b"nce\x18\x03 \x01(\x04R\rlastInference\x12'\n\x0finference_count\x18\x04 \x01("
    b"\x04R\x0einferenceCount\x12'\n\x0fexecution_count\x18\x05 \x01(\x04R\x0eexec"
    b'utionCount\x12R\n\x0finference_stats\x18\x06 \x01(\x0b2).warmstart.'
    b'open_inference.InferStatisticsR\x0einferenceStats"e'
    b'\n\x17ModelStatisticsResponse\x12J\n\x0bmodel_stats\x18\x01 \x03(\x0b2)'
    b'.warmstart.open_inference.ModelStatisticsR\nmodel'
    b'Statsb\x06proto3'
)
Empty = GetMessageClass(_FILE.message_types_by_name["Empty"])
ServerLiveResponse = GetMessageClass(_FILE.message_types_by_name["ServerLiveResponse"])
ServerReadyResponse = GetMessageClass(_FILE.message_types_by_name["ServerReadyResponse"])
ModelReadyRequest = GetMessageClass(_FILE.message_types_by_name["ModelReadyRequest"])
ModelReadyResponse = GetMessageClass(_FILE.message_types_by_name["ModelReadyResponse"])
ServerMetadataResponse = GetMessageClass(_FILE.message_types_by_name["ServerMetadataResponse"])
ModelMetadataRequest = GetMessageClass(_FILE.message_types_by_name["ModelMetadataRequest"])
ModelMetadataResponse = GetMessageClass(_FILE.message_types_by_name["ModelMetadataResponse"])
InferParameter = GetMessageClass(_FILE.message_types_by_name["InferParameter"])
InferTensorContents = GetMessageClass(_FILE.message_types_by_name["InferTensorContents"])
ModelInferRequest = GetMessageClass(_FILE.message_types_by_name["ModelInferRequest"])
ModelInferResponse = GetMessageClass(_FILE.message_types_by_name["ModelInferResponse"])
RepositoryIndexRequest = GetMessageClass(_FILE.message_types_by_name["RepositoryIndexRequest"])
RepositoryIndexResponse = GetMessageClass(_FILE.message_types_by_name["RepositoryIndexResponse"])
ModelStatisticsRequest = GetMessageClass(_FILE.message_types_by_name["ModelStatisticsRequest"])
StatisticDuration = GetMessageClass(_FILE.message_types_by_name["StatisticDuration"])
InferStatistics = GetMessageClass(_FILE.message_types_by_name["InferStatistics"])
ModelStatistics = GetMessageClass(_FILE.message_types_by_name["ModelStatistics"])
ModelStatisticsResponse = GetMessageClass(_FILE.message_types_by_name["ModelStatisticsResponse"])
