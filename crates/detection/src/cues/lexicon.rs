//! The words of each family. Our own list, in the languages of the pool it
//! is measured on (English, Chinese); the normal form of [`crate::text`] is
//! applied, so `0` stands for any number and ideographs are words of their own.

use super::Cue;

/// Words of the longest phrase.
pub(super) const PHRASE_MAX: usize = 4;

pub(super) const LEXICON: &[(Cue, &str)] = &[
    (
        Cue::Generate,
        "generate,generates,generating,generation,create,creates,creating,created,come up with,craft,crafting,compose,composing,synthesize,synthesise,synthesizing,produce,producing,invent,make up,brainstorm,construct,constructing,develop,devise,formulate,design,designing,draft,propose,simulate,provide 0,think of,give me 0,list 0,draw inspiration,生成,编写,创建,创造,设计,提出,撰写,构造,编造,产生,制作,构建,给出,提供 0,想出",
    ),
    (Cue::Write, "write,writing,written,写,写出,写一"),
    (
        Cue::DataNoun,
        "questions,question answer,question and answer,qa pairs,tasks,examples,samples,queries,dialogue,dialogues,dialog,dialogs,conversations,exercises,problems,scenario,scenarios,data,dataset,datasets,data points,personas,persona,entries,pairs,instances,utterances,sentences,statements,test cases,multi turn,paraphrases,variations,variants,responses,answers,completions,demonstrations,triples,reviews,任务,问题,对话,样本,数据,数据集,题目,例子,示例,问答,语句,话语,案例,场景",
    ),
    (
        Cue::Quantity,
        "a set of,set of,a list of,list of,series of,a series of,number of,batch of,0 different,0 diverse,0 new,0 unique,0 distinct,0 random,0 more,multiple,several,ten,twenty,fifty,at least 0,up to 0,0 个,0 条,0 种,0 道,多个,一系列,一组,若干",
    ),
    (
        Cue::Diversity,
        "diverse,diversity,diversify,variety,varied,various,vary,varying,varies,unique,uniqueness,distinct,different from,different types,not repeat,dont repeat,avoid repeating,avoid repetition,repetition,repeat,repeated,repetitive,wide range,broad range,range of,coverage,novel,new,brand new,rare,creative,creativity,imaginative,original,maximize,balanced,as different as possible,多样,多样化,多样性,多种多样,不同,重复,各种,丰富,新颖,创意",
    ),
    (
        Cue::Model,
        "language model,language models,large language model,gpt,gpt 0,gpt model,chatgpt,chat gpt,gpt0,openai,claude,llm,llms,ai assistant,ai assistants,ai model,ai models,ai system,ai systems,ai,assistant,assistants,chatbot,chatbots,bot,model,models,the model,语言 模型,语言模型,模型,大模型,助手,人工智能,机器人",
    ),
    (
        Cue::Prompt,
        "prompt,prompts,instruction,instructions,given prompt,user prompt,system prompt,user query,user question,user request,command,commands,指令,提示,提示词,用户 问题",
    ),
    (
        Cue::Field,
        "input,inputs,output,outputs,noinput,no input,response,expected output,answer a,answer b,reply,completion,text 0,generated text,summary a,summary b,model output,model answer,reference answer,输入,输出,回复,回答,参考 答案",
    ),
    (
        Cue::Rubric,
        "score,scores,scoring,rate,rated,rating,ratings,rubric,rubrics,criteria,criterion,evaluate,evaluates,evaluating,evaluation,assess,assessing,assessment,assessor,grade,graded,grading,judge,judges,judging,judgment,judgement,feedback,critique,critiques,annotate,annotation,annotations,annotator,scale of,scale from,helpfulness,harmlessness,truthfulness,honesty,relevance,relevant,coherence,coherent,consistency,fluency,accuracy,correctness,hallucination,informativeness,impartial,评分,打分,评价,评估,评判,标准,质量,得分",
    ),
    (
        Cue::Compare,
        "better,best,worse,preferred,prefer,preference,compare,comparison,assistant a,assistant b,response a,response b,tie,rank,ranking,which of the two,更好,比较,优于,排序",
    ),
    (
        Cue::Rewrite,
        "rewrite,rewrites,rewriting,rewritten,rewriter,rephrase,rephrased,rephrasing,paraphrase,paraphrased,revise,revised,refine,refined,reformulate,more complex,more complicated,more specific,more challenging,more difficult,more constraints,increase the difficulty,increase difficulty,increase the complexity,complicate,evolve,evolved,evolution,transform,modify,modified,expand,improve,improved,augment,adapt,convert the,make it more,alter,改写,重写,修改,润色,改编,扩展,升级,复杂化,改进",
    ),
    (
        Cue::Simulate,
        "act as,acting as,pretend,pretending,roleplay,role play,role playing,play the role,the role of,your role,imagine,imagine you,assume you are,assume the role,as if you,you are a,you are an,you are the,you will be,i want you to,i want you,your task is,your objective,your goal,your job,you will,suppose you,take turns,扮演,模拟,角色,假设,假如,假装,作为 一名,作为 一个,你 是 一个,你 是 一名,你 是 一位",
    ),
    (
        Cue::Party,
        "conversation,conversation between,dialogue between,transcript,human,user,users,patient,doctor,customer,agent,character,characters,interlocutor,speaker,interviewer,student,teacher,expert,experts,turn,turns,chat,chatting,utterance,persona,用户,医生,患者,病人,专家,客户,学生,老师,聊天",
    ),
    (
        Cue::Reasoning,
        "step by step,reasoning,reason,reasons,rationale,rationales,thinking,thought,thoughts,think,chain of thought,explanation,explanations,explain,in detail,detailed,thorough,thoroughly,reflect,reflection,systematic,justify,justification,logical,logically,analysis,analyze,process,solution,solutions,backtracking,推理,步骤,思考,解释,详细,分析,过程,解析,一步",
    ),
    (
        Cue::Format,
        "format,formatted,formatting,json,yaml,xml,csv,html,markdown,following format,structured,structure,numbered,bullet,bullets,tag,tags,delimiter,separated,start with,starts with,starting with,begin with,begins with,end with,enclosed,wrapped,template,schema,key,keys,field,fields,line,lines,格式,标签,开头,结尾,按照",
    ),
    (
        Cue::Constraint,
        "should,should not,shouldnt,must,must not,shall,ensure,ensures,ensuring,make sure,be sure,require,required,requirement,requirements,guideline,guidelines,rule,rules,avoid,do not,dont,never,cannot,not allowed,without,always,exactly,no more than,at most,need to,limited to,less than,words or less,note that,note,notes,remember,要求,必须,不要,应该,应当,确保,请勿,需要,不能,不得,避免,尽量,注意",
    ),
    (
        Cue::Quality,
        "challenging,complex,complexity,difficult,difficulty,hard,harder,realistic,high quality,quality,specific,specificity,informative,comprehensive,rich,in depth,concise,clear,clearly,precise,natural,plausible,reasonable,appropriate,meaningful,interesting,engaging,professional,advanced,concrete,sophisticated,nuanced,复杂,难度,高质量,真实,具体,合理,自然,专业,清晰,准确,完整",
    ),
    (
        Cue::FirstPerson,
        "i,im,ive,id,ill,my,me,mine,myself,we,our,us,were,我,我的,我们,咱们,本人",
    ),
    (
        Cue::SecondPerson,
        "you,your,yours,youre,yourself,你,您,你的,您的",
    ),
    (
        Cue::QuestionWord,
        "what,whats,why,how,when,where,who,whom,whose,which,can you,could you,would you,is it,is there,are there,do you,does,did,should i,can i,什么,怎么,为什么,为何,如何,哪,哪些,吗,谁,几,多少,是否,怎样",
    ),
    (
        Cue::Polite,
        "please,thanks,thank you,thank,hi,hello,hey,sorry,help,help me,kindly,regards,dear,appreciate,suggest,advice,请问,谢谢,你好,您好,帮我,帮忙,麻烦,求,请",
    ),
    (
        Cue::LabelOnly,
        "only the,answer only,return only,reply only,respond only,output only,only output,only return,only respond,yes or no,true or false,yes,no,true,false,one word,exactly one,one of,reply with,answer with,respond with,return the,a single,single word,null,none,只 输出,只 回答,仅 输出,仅 返回,是 或 否,直接 输出",
    ),
    (
        Cue::Option,
        "option,options,choice,choices,choose,select,multiple choice,correct answer,final answer,the answer is,answer,answers the,q,a,b,c,d,e,选项,选择,正确,答案,选出,单选,多选",
    ),
    (
        Cue::Context,
        "context,passage,passages,document,documents,article,articles,based on,according to,text,paragraph,excerpt,source,sources,cite,citation,following text,reference,references,below,material,evidence,reading,根据,材料,文章,以下,下面,文本,段落,参考,上文,原文",
    ),
    (
        Cue::Application,
        "summarize,summarise,summary,summaries,summarization,translate,translation,translated,classify,classification,classified,categorize,extract,extraction,identify,detect,detection,sentiment,intent,label,labels,route,tone,tldr,entity,entities,correct the,grammar,spelling,proofread,keywords,summarizing,总结,概括,摘要,翻译,分类,提取,抽取,识别,判断,情感,纠正",
    ),
    (
        Cue::Database,
        "sql,create table,create view,table,tables,column,columns,database,databases,query the,rows,join,group by,order by,primary,postgres,mysql,数据库,查询",
    ),
    (
        Cue::Code,
        "function,functions,code,coding,python,javascript,java,def,return,returns,class,import,script,program,programming,bug,error,exception,compile,variable,variables,string,array,list,loop,int,str,self,const,var,api,test,tests,repository,file,commit,algorithm,代码,函数,程序,编程,报错,变量",
    ),
    (
        Cue::Mathematics,
        "equation,equations,solve,calculate,compute,integer,integers,number,numbers,sum,product,probability,triangle,angle,circle,polynomial,real number,positive,prove,proof,find the,value of,how many,how much,total,percent,theorem,matrix,frac,sqrt,计算,求,方程,函数,概率,数学,三角形,证明,等于",
    ),
    (
        Cue::Service,
        "order,orders,booking,book,account,ticket,refund,restaurant,hotel,flight,reservation,shipping,delivery,payment,card,invoice,receipt,bank,price,customer service,support,store,shop,product,products,company,订单,预订,酒店,餐馆,航班,退款,支付,景点,客服,价格",
    ),
    (
        Cue::Education,
        "students,teachers,lesson,lessons,curriculum,course,courses,exam,exams,exercise,homework,school,grade school,textbook,learn,learning,learners,teach,quiz,tutor,考试,课程,教学,学习,教师,高考,试题",
    ),
    (
        Cue::Medicine,
        "medical,medicine,disease,diseases,symptom,symptoms,treatment,treatments,diagnosis,diagnoses,drug,drugs,clinical,pain,blood,surgery,health,pregnant,疾病,症状,治疗,诊断,医学,药物,患,疼痛,检查,手术",
    ),
    (
        Cue::Example,
        "example,examples of,for example,for instance,e g,eg,such as,like this,few shot,sample,here are some,here is an,instance,illustrate,例如,比如,举例,例,如下",
    ),
    (
        Cue::Given,
        "given,given the,given a,the following,following,provided,described above,above,below are,below is,here is,here are,specified,mentioned,attached,给定,给出 的,上述,如下,所给",
    ),
    (
        Cue::Training,
        "train,training,trained,fine tune,fine tuning,finetune,finetuning,evaluate the ability,ability,abilities,capability,capabilities,benchmark,benchmarks,test set,seed,seeds,in context,self instruct,distill,训练,微调,能力,测评,评测",
    ),
    (
        Cue::Topic,
        "topic,topics,domain,domains,subject,subjects,theme,themes,category,categories,area,areas,concept,concepts,fields of,genre,type,types,kind,kinds,keyword,aspects,主题,领域,话题,类型,方面,类别,概念,学科",
    ),
    (
        Cue::Audience,
        "the user,a user,audience,reader,readers,people,someone,person,a person,individual,individuals,others,client,clients,employee,人们,读者,他人,对方",
    ),
    (
        Cue::NothingElse,
        "nothing else,anything else,do not add,do not include,do not explain,no explanation,no explanations,without explanation,do not mention,do not say,are not allowed,do not answer,no additional,additional text,any other,不 要 解释,不要 包含,无需",
    ),
    (
        Cue::Tool,
        "tool,tools,apis,interface,plugin,endpoint,parameters,parameter,arguments,action,actions,observation,search,call,function call,工具,接口,参数,调用,搜索",
    ),
    (
        Cue::Creative,
        "story,stories,poem,poems,song,lyrics,novel about,essay,blog,fiction,movie,film,scene,image,picture,photo,video,style,art,color,lighting,camera,background,cinematic,故事,诗,小说,文章 写,图片,风格,画面,镜头",
    ),
];
